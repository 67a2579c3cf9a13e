// Which scheme a network gets, by trials on selection samples. Without a limit the one with the least mean logit error, a finer measure than answers,
// but what costs time or bits only where it pays; with a limit on the drop the cheapest that keeps it.

import { LutraError } from "../../base/index.ts";
import type { Metric } from "../../data/index.ts";
import { keepsModel, type Trial } from "../budget.ts";
import type { RangeMethod } from "./ranges.ts";
import type { Scheme } from "./scheme.ts";
import {
  type Choosable,
  dropText,
  given,
  migrationChoice,
  migrationText,
  type ProgramChoice,
  percent,
  precise,
  schemeText,
  wideText,
} from "./scheme-text.ts";

/** What is chosen already, or left to trials. */
export interface SchemeOptions {
  /** Where the ranges of 8-bit tensors end. */
  readonly ranges: "auto" | RangeMethod;
  /** Strength of the scale migration, 0 to 1. */
  readonly migration: "auto" | number;
  /** Queries and keys of 7 and 8 bits, or of 9 to 12 in every attention. */
  readonly attention: "auto" | "narrow" | "wide";
}

export interface ProgramTrial {
  /** In words. */
  readonly scheme: string;
  /** On selection samples, against the float model. */
  readonly trial: Trial;
}

/** Model asks, it never runs: what `chooseScheme` is given. */
export interface Trials {
  run(scheme: Scheme): Promise<Trial>;
  /** In words: the samples. */
  readonly says: string;
  /** The metric that a drop is about. */
  readonly metric: Metric;
}

export interface ChosenScheme {
  readonly scheme: Scheme;
  readonly choices: readonly ProgramChoice[];
  /** In their order. */
  readonly trials: readonly ProgramTrial[];
}

const MIGRATION_STRENGTH = 0.7;
/** By how much the mean logit error must fall for what costs nothing at run time, and for more bits, which cost time. */
const FREE_GAIN = 0.05;
const BITS_GAIN = 0.1;
/** Of what wide attentions gain together, the share that those kept must bring. */
const KEPT_GAIN = 0.9;

/**
 * @param maxDrop how much worse the metric may get, with a margin of one standard error; undefined for no limit
 * @throws LutraError "infeasible" naming the best scheme if none keeps the limit; whatever a trial throws
 */
export async function chooseScheme(
  choosable: Choosable,
  options: SchemeOptions,
  maxDrop: number | undefined,
  openTrials: () => Promise<Trials>,
): Promise<ChosenScheme> {
  const { ranges, migration, attention } = options;
  const all = new Set(choosable.attentions);
  const first: Scheme = {
    ranges: ranges === "auto" ? "mse" : ranges,
    migration: migration === "auto" ? 0 : migration,
    ...{ inputBits: 8, gateBits: 8 },
    wide: attention === "wide" ? all : new Set(),
  };
  const open: Open = {
    ranges: ranges === "auto",
    migration: migration === "auto" && choosable.canMigrate,
    wide: attention === "auto" && all.size > 0,
    input: choosable.hasWeighedInput,
    gates: choosable.hasGates,
  };
  if (maxDrop === undefined && !Object.values(open).includes(true)) {
    return { scheme: first, choices: givenChoices(first, choosable), trials: [] };
  }
  const book = openBook(choosable, await openTrials());
  return maxDrop === undefined
    ? await mostAccurate(first, open, book)
    : await cheapestInside(first, open, maxDrop, book);
}

function givenChoices(scheme: Scheme, choosable: Choosable): readonly ProgramChoice[] {
  return [
    given("ranges", scheme.ranges),
    migrationChoice(scheme, choosable),
    given("queries and keys", wideText(scheme, choosable)),
  ];
}

/** What is left open. */
interface Open {
  readonly ranges: boolean;
  readonly migration: boolean;
  readonly wide: boolean;
  readonly input: boolean;
  readonly gates: boolean;
}

/** Runs trials, once each, and remembers them. */
interface Book {
  readonly choosable: Choosable;
  readonly says: string;
  readonly metric: Metric;
  readonly trials: readonly ProgramTrial[];
  try(scheme: Scheme): Promise<Trial>;
}

function openBook(choosable: Choosable, { run, says, metric }: Trials): Book {
  const trials: ProgramTrial[] = [];
  const known = new Map<string, Trial>();
  return {
    ...{ choosable, says, metric, trials },
    async try(scheme) {
      const text = schemeText(scheme, choosable);
      const key = `${text}: ${[...scheme.wide]}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const trial = await run(scheme);
      known.set(key, trial);
      trials.push({ scheme: text, trial });
      return trial;
    },
  };
}

/** Without a limit: the least mean logit error among what costs nothing, and more bits where they pay. */
async function mostAccurate(first: Scheme, open: Open, book: Book): Promise<ChosenScheme> {
  const choices: ProgramChoice[] = [];
  let scheme = first;
  if (open.input) {
    const other: Scheme = { ...scheme, inputBits: 12 };
    const pays = await isGain(scheme, other, BITS_GAIN, book);
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
  } else choices.push(migrationChoice(scheme, book.choosable));
  if (open.gates) {
    const other: Scheme = { ...scheme, gateBits: 12 };
    const pays = await isGain(scheme, other, BITS_GAIN, book);
    if (pays.isWorth) scheme = other;
    choices.push({ what: "products of gates", chosen: `${scheme.gateBits} bits`, why: pays.why });
  }
  if (open.wide) {
    const { wide, why } = await wideWherePays(scheme, book);
    scheme = { ...scheme, wide };
    choices.push({ what: "queries and keys", chosen: wideText(scheme, book.choosable), why });
  } else choices.push(given("queries and keys", wideText(scheme, book.choosable)));
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
  const names = [scheme, other].map((each) => schemeText(each, book.choosable));
  const why = `mean logit error ${precise(a)} with ${names[0]}, ${precise(b)} with ${names[1]}, on ${book.says}; the second is taken if it is ${percent(least)} less`;
  return { isWorth, why };
}

/** All attentions wide, or those that bring most of what all bring together. */
async function wideWherePays(
  scheme: Scheme,
  book: Book,
): Promise<{ readonly wide: ReadonlySet<string>; readonly why: string }> {
  const all = book.choosable.attentions;
  const { isWorth, why } = await isGain(scheme, { ...scheme, wide: new Set(all) }, BITS_GAIN, book);
  if (!isWorth) return { wide: scheme.wide, why };
  const errorOf = async (wide: readonly string[]): Promise<number> => {
    const { mean } = (await book.try({ ...scheme, wide: new Set(wide) })).logitError;
    return mean * mean;
  };
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
async function cheapestInside(first: Scheme, open: Open, maxDrop: number, book: Book): Promise<ChosenScheme> {
  const ranges: readonly RangeMethod[] = open.ranges ? ["mse", "min-max"] : [first.ranges];
  const strengths = open.migration ? [0, MIGRATION_STRENGTH] : [first.migration];
  // What costs nothing first, then what costs time: bits of inputs, of gates, of queries and keys, each with those before it.
  const free = strengths.flatMap((migration) => ranges.map((each): Scheme => ({ ...first, ranges: each, migration })));
  const more: readonly Partial<Scheme>[] = [
    ...(open.input ? [{ inputBits: 12 } as const] : []),
    ...(open.gates ? [{ gateBits: 12 } as const] : []),
    ...(open.wide ? [{ wide: new Set(book.choosable.attentions) }] : []),
  ];
  const schemes = Array.from({ length: more.length + 1 }, (_, count) => {
    return free.map((scheme): Scheme => Object.assign({}, scheme, ...more.slice(0, count)));
  }).flat();
  for (const scheme of schemes) {
    const trial = await book.try(scheme);
    if (!keepsModel({ maxDrop }, trial)) continue;
    const before = book.trials.length - 1;
    const tried =
      before === 0
        ? "the cheapest"
        : `the first of ${schemes.length} schemes in the order of their cost, after ${before} that lose more,`;
    const why = `${tried} that loses at most ${maxDrop} of ${book.metric} on ${book.says}: ${dropText(trial)}`;
    return {
      scheme,
      choices: [{ what: "scheme", chosen: schemeText(scheme, book.choosable), why }],
      trials: book.trials,
    };
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
