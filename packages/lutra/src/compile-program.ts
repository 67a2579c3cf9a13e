// From a float model to an integer program, in order: trace it, see its numbers, choose a scheme by trials, lower it, measure both. The only file
// that knows this order; what a scheme is, model/quantize knows.

import { type Control, checkCancelled, finish, LutraError, type Session } from "./base/index.ts";
import { type Dataset, fitDataset, type Metric } from "./data/index.ts";
import { solve } from "./fit/index.ts";
import {
  compareScores,
  declaredInputs,
  keepsModel,
  type Metrics,
  type Score,
  score,
  selectionOf,
  type Trial,
  thinnedSelection,
  trialOf,
} from "./model/index.ts";
import {
  attentionsOf,
  type LayerReport,
  type Lowered,
  layerReports,
  lowerBy,
  migratable,
  type Observed,
  observe,
  prepare,
  type RangeMethod,
  type Scheme,
  sizesOf,
  weighedInputs,
} from "./model/quantize/index.ts";
import { trace } from "./model/trace/trace.ts";
import { concatenate, embedExternal, type Model, writeModel } from "./onnx/index.ts";
import type { NamedSize, Program } from "./program/index.ts";
import type { Spec, Table } from "./table/index.ts";
import type { CompileTools } from "./workbench.ts";

export interface ProgramTools extends CompileTools {
  /** A session over a program: numbers in, numbers out. `interpreterSession` is one, slowly. */
  openProgram(program: Program): Promise<Session>;
}

export interface CompileProgramOptions {
  /** Where the ranges of 8-bit tensors end; "auto", the default, is what trials choose. */
  readonly ranges?: "auto" | RangeMethod;
  /** Strength of the scale migration, 0 to 1; "auto", the default, is what trials choose. */
  readonly migration?: "auto" | number;
  /** Queries and keys of 7 and 8 bits, or of 9 to 12 in every attention; "auto", the default, is what trials choose for each. */
  readonly attention?: "auto" | "narrow" | "wide";
  /** How much worse the dataset's first metric may get: of accuracy a difference, of NLL and perplexity a share of their value. */
  readonly maxDrop?: number;
  /** Whether to report each layer: the program is interpreted on a few calibration samples. */
  readonly sensitivity?: boolean;
}

/** One choice, in words. */
export interface ProgramChoice {
  readonly what: string;
  readonly chosen: string;
  readonly why: string;
}

export interface ProgramTrial {
  /** In words. */
  readonly scheme: string;
  /** On selection samples, against the float model. */
  readonly trial: Trial;
}

export interface CompiledProgram {
  readonly program: Program;
  readonly choices: readonly ProgramChoice[];
  /** Every scheme tried, in the order of the trials; none where nothing was left to choose. */
  readonly trials: readonly ProgramTrial[];
  /** On the report split, as are the four below. */
  readonly before: Metrics;
  readonly after: Metrics;
  /** Share of predictions that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  readonly samples: number;
  /** By layer, worst first; null if not asked for. */
  readonly sensitivity: readonly LayerReport[] | null;
  readonly seconds: number;
}

/**
 * The integer program of a model, quantized after training: ranges from the calibration split, choices from the selection split, both without
 * answers if there are none, the numbers from the report split.
 * @param given external tensors are taken into the model
 * @param dataset as loaded; it is fitted to the model's inputs here
 * @throws LutraError "unsupported" naming the node that has no integer form; "infeasible" if no scheme keeps `maxDrop`; "bad-argument" for
 *   options out of range; whatever its parts throw; "cancelled"
 */
export async function compileProgram(
  given: Model,
  dataset: Dataset,
  options: CompileProgramOptions,
  tools: ProgramTools,
  control: Control = {},
): Promise<CompiledProgram> {
  const start = tools.now();
  checkOptions(options);
  const model = embedExternal(given);
  const network = prepare(trace(model));
  const fitted = fitDataset(dataset, declaredInputs(model));
  const original = await tools.openSession(concatenate(writeModel(model)));
  try {
    const before = await score(original, fitted, "report", control, { stage: "measuring the original" });
    const observed = await observe(model, network, migratable(network), fitted, tools.openSession, control);
    const sizes = sizesOf(network);
    const table = directTables();
    const make = (scheme: Scheme): Lowered => lowerBy(scheme, network, observed, sizes, table);
    const bench: Bench = {
      attentions: attentionsOf(network),
      canMigrate: migratable(network).size > 0,
      hasWeighedInput: weighedInputs(network).length > 0,
      ...{ make, original, fitted },
    };
    const chosen = await chooseScheme(bench, options, tools, control);
    const lowered = make(chosen.scheme);
    const after = await measured(lowered.program, fitted, tools, control);
    const { flips, logitError } = compareScores(before, after);
    const sensitivity =
      options.sensitivity === true
        ? await layerReports(model, network, lowered, fitted, tools.openSession, control)
        : null;
    return {
      program: lowered.program,
      choices: [...chosen.choices, ...inputChoices(observed, lowered), ...sizeChoices(sizes)],
      trials: chosen.trials,
      ...{ before: before.metrics, after: after.metrics, flips, logitError, samples: before.samples },
      sensitivity,
      seconds: (tools.now() - start) / 1000,
    };
  } finally {
    await original.release();
  }
}

/** @throws LutraError "bad-argument" */
function checkOptions({ migration = 0, maxDrop = 0 }: CompileProgramOptions): void {
  if (migration !== "auto" && !(migration >= 0 && migration <= 1))
    throw new LutraError("bad-argument", `migration must be a number from 0 to 1, got ${migration}`);
  if (!(maxDrop >= 0 && maxDrop < Infinity))
    throw new LutraError("bad-argument", `maxDrop must be a number that is not negative, got ${maxDrop}`);
}

async function measured(program: Program, dataset: Dataset, tools: ProgramTools, control: Control): Promise<Score> {
  const session = await tools.openProgram(program);
  try {
    return await score(session, dataset, "report", control, { stage: "measuring the program" });
  } finally {
    await session.release();
  }
}

/** Tables of every answer, correctly rounded; each is solved once. */
function directTables(): (spec: Spec) => Table {
  const known = new Map<string, Table>();
  return (spec) => {
    const key = JSON.stringify(spec);
    const bits = spec.input.kind === "integer" ? spec.input.bits : 8;
    const size = { segments: 2 ** bits };
    const problem = { spec, size, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    const table = known.get(key) ?? finish(solve(problem, "direct", { seed: 1 })).table;
    known.set(key, table);
    return table;
  };
}

// choosing ------------------------------------------------------------------------------------------------------------

interface Bench {
  readonly attentions: readonly string[];
  readonly canMigrate: boolean;
  /** Whether only products with weights read an input of numbers. */
  readonly hasWeighedInput: boolean;
  readonly make: (scheme: Scheme) => Lowered;
  readonly original: Session;
  /** The dataset, fitted to the model. */
  readonly fitted: Dataset;
}

interface Chosen {
  readonly scheme: Scheme;
  readonly choices: readonly ProgramChoice[];
  readonly trials: readonly ProgramTrial[];
}

/** Samples of a trial, without a limit on the drop: logit errors need few. */
const TRIAL_SAMPLES = 64;
const MIGRATION_STRENGTH = 0.7;
/** By how much the mean logit error must fall for what costs nothing at run time, and for more bits in queries and keys, which cost time. */
const FREE_GAIN = 0.05;
const WIDE_GAIN = 0.15;
/** Of what wide attentions gain together, the share that those kept must bring. */
const KEPT_GAIN = 0.9;

async function chooseScheme(
  bench: Bench,
  options: CompileProgramOptions,
  tools: ProgramTools,
  control: Control,
): Promise<Chosen> {
  const { ranges = "auto", migration = "auto", attention = "auto", maxDrop } = options;
  const all = new Set(bench.attentions);
  const none = new Set<string>();
  const isWideOpen = attention === "auto" && all.size > 0;
  const isMigrationOpen = migration === "auto" && bench.canMigrate;
  const first: Scheme = {
    ranges: ranges === "auto" ? "mse" : ranges,
    migration: migration === "auto" ? 0 : migration,
    inputBits: 8,
    wide: attention === "wide" ? all : none,
  };
  const open = {
    ranges: ranges === "auto",
    migration: isMigrationOpen,
    wide: isWideOpen,
    input: bench.hasWeighedInput,
  };
  if (maxDrop === undefined && !Object.values(open).includes(true)) {
    return { scheme: first, choices: givenChoices(first, bench), trials: [] };
  }
  const book = await openBook(bench, maxDrop === undefined, tools, control);
  return maxDrop === undefined
    ? await mostAccurate(first, open, book)
    : await cheapestInside(first, open, maxDrop, book);
}

/** What is left open. */
interface Open {
  readonly ranges: boolean;
  readonly migration: boolean;
  readonly wide: boolean;
  readonly input: boolean;
}

/** Runs trials, once each, and remembers them. */
interface Book {
  readonly bench: Bench;
  readonly says: string;
  readonly metric: Metric;
  readonly trials: readonly ProgramTrial[];
  try(scheme: Scheme): Promise<Trial>;
}

async function openBook(bench: Bench, isThinned: boolean, tools: ProgramTools, control: Control): Promise<Book> {
  const { dataset: selection, says } = await selectionOf(bench.fitted, bench.original, control);
  const dataset = isThinned ? thinnedSelection(selection, TRIAL_SAMPLES) : selection;
  const quiet = { signal: control.signal };
  const before = await score(bench.original, dataset, "selection", quiet);
  const trials: ProgramTrial[] = [];
  const known = new Map<string, Trial>();
  const [metric = "accuracy"] = dataset.metrics;
  const run = async (scheme: Scheme): Promise<Trial> => {
    checkCancelled(control);
    control.onProgress?.({ stage: "choosing a scheme", done: trials.length, total: trials.length + 1 });
    const session = await tools.openProgram(bench.make(scheme).program);
    try {
      return trialOf(before, await score(session, dataset, "selection", quiet), metric);
    } finally {
      await session.release();
    }
  };
  return {
    bench,
    says: `${before.samples} of ${says}`,
    metric,
    trials,
    async try(scheme) {
      const key = schemeText(scheme, bench);
      const trial = known.get(`${key} ${[...scheme.wide]}`) ?? (await run(scheme));
      if (!known.has(`${key} ${[...scheme.wide]}`)) trials.push({ scheme: key, trial });
      known.set(`${key} ${[...scheme.wide]}`, trial);
      return trial;
    },
  };
}

/** Without a limit: the least mean logit error among what costs nothing, and more bits where they pay. */
async function mostAccurate(first: Scheme, open: Open, book: Book): Promise<Chosen> {
  const choices: ProgramChoice[] = [];
  let scheme = first;
  if (open.input) {
    const other: Scheme = { ...scheme, inputBits: 12 };
    const pays = await isGain(scheme, other, WIDE_GAIN, book);
    if (pays.isWorth) scheme = other;
    choices.push({ what: "inputs of weights", chosen: `${scheme.inputBits} bits`, why: pays.why });
  }
  if (open.ranges) {
    const other: Scheme = { ...scheme, ranges: "min-max" };
    const pays = await isGain(scheme, other, FREE_GAIN, book);
    if (pays.isWorth) scheme = other;
    choices.push({ what: "ranges", chosen: scheme.ranges, why: pays.why });
  } else choices.push(given("ranges", scheme.ranges));
  if (open.migration) {
    const other: Scheme = { ...scheme, migration: MIGRATION_STRENGTH };
    const pays = await isGain(scheme, other, FREE_GAIN, book);
    if (pays.isWorth) scheme = other;
    choices.push({ what: "scale migration", chosen: migrationText(scheme), why: pays.why });
  } else choices.push(migrationChoice(scheme, book.bench));
  if (open.wide) {
    const { wide, why } = await wideWherePays(scheme, book);
    scheme = { ...scheme, wide };
    choices.push({ what: "queries and keys", chosen: wideText(scheme, book.bench), why });
  } else choices.push(given("queries and keys", wideText(scheme, book.bench)));
  return { scheme, choices, trials: book.trials };
}

async function isGain(
  scheme: Scheme,
  other: Scheme,
  least: number,
  book: Book,
): Promise<{ readonly isWorth: boolean; readonly why: string }> {
  const [a, b] = [(await book.try(scheme)).logitError.mean, (await book.try(other)).logitError.mean];
  const isWorth = b < (1 - least) * a;
  const names = [scheme, other].map((each) => schemeText(each, book.bench));
  const why = `mean logit error ${precise(a)} with ${names[0]}, ${precise(b)} with ${names[1]}, on ${book.says}; the second is taken if it is ${percent(least)} less`;
  return { isWorth, why };
}

/** All attentions wide, or those that bring most of what all bring together. */
async function wideWherePays(
  scheme: Scheme,
  book: Book,
): Promise<{ readonly wide: ReadonlySet<string>; readonly why: string }> {
  const all = book.bench.attentions;
  const { isWorth, why } = await isGain(scheme, { ...scheme, wide: new Set(all) }, WIDE_GAIN, book);
  if (!isWorth) return { wide: scheme.wide, why };
  const errorOf = async (wide: readonly string[]): Promise<number> =>
    (await book.try({ ...scheme, wide: new Set(wide) })).logitError.mean ** 2;
  const [narrow, best] = [await errorOf([]), await errorOf(all)];
  const gains: (readonly [string, number])[] = [];
  for (const site of all) gains.push([site, narrow - (await errorOf([site]))]);
  gains.sort(([, a], [, b]) => b - a);
  const kept: string[] = [];
  for (const [site] of gains) {
    kept.push(site);
    if (narrow - (await errorOf(kept)) >= KEPT_GAIN * (narrow - best)) break;
  }
  // In the order of the network, whatever brought more.
  const wide = new Set(all.filter((site) => kept.includes(site)));
  return { wide, why: `${why}; ${wide.size} of ${all.length} bring ${percent(KEPT_GAIN)} of that` };
}

/** With a limit: the first that keeps it, in the order of what they cost. */
async function cheapestInside(first: Scheme, open: Open, maxDrop: number, book: Book): Promise<Chosen> {
  const ranges: readonly RangeMethod[] = open.ranges ? ["mse", "min-max"] : [first.ranges];
  const strengths = open.migration ? [0, MIGRATION_STRENGTH] : [first.migration];
  const wides = open.wide ? [new Set<string>(), new Set(book.bench.attentions)] : [first.wide];
  const inputs: readonly Scheme["inputBits"][] = open.input ? [8, 12] : [8];
  const schemes = wides.flatMap((wide) =>
    inputs.flatMap((inputBits) =>
      strengths.flatMap((migration) => ranges.map((each): Scheme => ({ ranges: each, migration, inputBits, wide }))),
    ),
  );
  for (const scheme of schemes) {
    const trial = await book.try(scheme);
    if (!keepsModel({ maxDrop }, trial)) continue;
    const before = book.trials.length - 1;
    const tried =
      before === 0
        ? "the cheapest"
        : `the first of ${schemes.length} schemes in the order of their cost, after ${before} that lose more,`;
    const why = `${tried} that loses at most ${maxDrop} of ${book.metric} on ${book.says}: ${dropText(trial)}`;
    return { scheme, choices: [{ what: "scheme", chosen: schemeText(scheme, book.bench), why }], trials: book.trials };
  }
  const best = [...book.trials].sort((a, b) => lossOf(a.trial) - lossOf(b.trial))[0] as ProgramTrial;
  throw new LutraError("infeasible", `no scheme loses at most ${maxDrop} of ${book.metric}`, {
    where: `${book.says}; the best, ${best.scheme}: ${dropText(best.trial)}`,
    note: "\u00b1 is one standard error, which the limit must cover: allow more, or select on more samples",
  });
}

function lossOf({ drop, dropMargin }: Trial): number {
  return Math.max(0, drop) + dropMargin;
}

// words ---------------------------------------------------------------------------------------------------------------

function givenChoices(scheme: Scheme, bench: Bench): readonly ProgramChoice[] {
  return [
    given("ranges", scheme.ranges),
    migrationChoice(scheme, bench),
    given("queries and keys", wideText(scheme, bench)),
  ];
}

function given(what: string, chosen: string): ProgramChoice {
  return { what, chosen, why: "given" };
}

function migrationChoice(scheme: Scheme, { canMigrate }: Bench): ProgramChoice {
  const why = canMigrate ? "given" : "no norm is read by weights of its own alone";
  return { what: "scale migration", chosen: migrationText(scheme), why };
}

function migrationText({ migration }: Scheme): string {
  return migration === 0 ? "none" : `strength ${migration}`;
}

function wideText({ wide }: Scheme, { attentions }: Bench): string {
  if (attentions.length === 0) return "there are none";
  return wide.size === 0 ? "7 and 8 bits" : `9 to 12 bits in ${wide.size} of ${attentions.length} attentions`;
}

function schemeText(scheme: Scheme, bench: Bench): string {
  const migration = scheme.migration === 0 ? [] : [`migration ${scheme.migration}`];
  const input = scheme.inputBits === 8 ? [] : [`inputs of ${scheme.inputBits} bits`];
  const wide = scheme.wide.size === 0 ? [] : [`queries and keys of ${wideText(scheme, bench)}`];
  return [`ranges ${scheme.ranges}`, ...migration, ...input, ...wide].join(", ");
}

function dropText({ drop, dropMargin }: Trial): string {
  return `${precise(drop)} (\u00b1${precise(dropMargin)})`;
}

function precise(x: number): string {
  return x.toPrecision(3);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How the numbers of each input become codes. */
function inputChoices({ columns }: Observed, { program, held }: Lowered): readonly ProgramChoice[] {
  return program.inputs.flatMap((name) => {
    const quantization = program.tensors[name]?.quantization;
    const input = held.find(({ tensor }) => tensor === name);
    if (quantization === undefined || input === undefined) return [];
    const what = `input ${name}`;
    if (typeof quantization.scale === "number") {
      const zero = quantization.zeroPoint === 0 ? "" : " and a zero point";
      return [
        { what, chosen: `${input.format.bits} bits, one scale${zero}`, why: "not only products with weights read it" },
      ];
    }
    const sizes = (columns.get(name) ?? []).map(({ lo, hi }) => Math.max(-lo, hi)).filter((size) => size > 0);
    const [least, most] = [sizes.reduce((a, b) => Math.min(a, b), Infinity), sizes.reduce((a, b) => Math.max(a, b), 0)];
    const why = `its columns reach from ${precise(least)} to ${precise(most)}, and the weights take the scales in`;
    return [
      { what, chosen: `${input.format.bits} bits, one scale for each of ${quantization.scale.length} columns`, why },
    ];
  });
}

function sizeChoices(sizes: readonly NamedSize[]): readonly ProgramChoice[] {
  return sizes.map(({ name, least, most }) => ({
    what: `size ${name}`,
    chosen: `${least} to ${most}`,
    why: "the most that tables of positions, masks and sums of 32 bits allow, 1024 at most",
  }));
}
