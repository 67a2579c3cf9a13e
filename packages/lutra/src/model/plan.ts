// The Plan: every choice of a compilation as plain data. By default each hole gets the same number of segments, the range reductions
// its function's identities allow, the tails its asymptotes give, and the norm in which its error matters. Model asks, it never fits.

import { hash, LutraError } from "../base/index.ts";
import { type Identity, parseFn } from "../fn/index.ts";
import { type Hole, holes, type Kernel } from "../kernel/index.ts";
import {
  codeRange,
  exponentOf,
  type Format,
  floor32,
  type Histogram,
  type Interval,
  MIN_NORMAL_BINARY32,
} from "../num/index.ts";
import type { Site } from "../onnx/index.ts";
import type { Line, Norm, Problem, Reduction, Spec, Tail } from "../table/index.ts";
import type { Calibration } from "./calibrate.ts";

/** The question a table answers, and who is asked. */
export interface PlannedTable {
  readonly method: string;
  /** What the method leaves open, by name; its defaults if absent. */
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly problem: Problem;
}

export interface PlannedSite {
  readonly id: string;
  readonly kind: string;
  /** By hole: the name of its table. Sites may name the same one. */
  readonly tables: Readonly<Record<string, string>>;
}

/** JSON. Sites that it does not name stay as they are in the model. */
export interface Plan {
  readonly tables: Readonly<Record<string, PlannedTable>>;
  readonly sites: readonly PlannedSite[];
}

export interface PlanOptions {
  readonly segments: number;
  /** Norm of the functions that add their error; those that scale it (exp, 1/x, 1/sqrt under a reduction) are always relative. */
  readonly norm: Norm;
  /** By function: fitted on this range as a paper does, without reductions, instead of what suits the function best. */
  readonly ranges?: Readonly<Record<string, Interval>>;
}

/** The uniform plan: the default problem for every hole. Equal problems share a table, named after the first layer that asks. */
export function planSites(
  sites: readonly Site[],
  kernels: ReadonlyMap<string, Kernel>,
  calibration: Calibration,
  options: PlanOptions & Pick<PlannedTable, "method" | "parameters">,
): Plan {
  const { method, parameters = {} } = options;
  const chosen = { method, ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
  const tables: Record<string, PlannedTable> = {};
  const named = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameOf = (kind: string, hole: string, problem: Problem): string => {
    const question = hash(problem);
    const known = named.get(question);
    if (known !== undefined) return known;
    const stem = hole === "f" ? kind : `${kind}.${hole}`;
    const count = (counts.get(stem) ?? 0) + 1;
    const name = `${stem}-${count}`;
    counts.set(stem, count);
    named.set(question, name);
    tables[name] = { ...(isListed(problem.spec) ? { method: "direct" } : chosen), problem };
    return name;
  };
  const planned = sites.map(({ id, kind }) => {
    const seen = calibration[id]?.holes ?? {};
    const names = holes(kernelOf(kernels, id)).map(({ hole, spec }) => {
      return [hole, nameOf(kind, hole, planProblem(spec, options, seen[hole]))] as const;
    });
    return { id, kind, tables: Object.fromEntries(names) };
  });
  return { tables, sites: planned };
}

function kernelOf(kernels: ReadonlyMap<string, Kernel>, id: string): Kernel {
  const kernel = kernels.get(id);
  if (kernel === undefined) throw new TypeError(`no kernel for the site ${id}`);
  return kernel;
}

/**
 * Checks that a plan, which a user may have written, is about this model.
 * @param kernels of the model's sites, by id
 * @throws LutraError "mismatch" with the place in the plan
 */
export function checkPlan(plan: Plan, sites: readonly Site[], kernels: ReadonlyMap<string, Kernel>): void {
  const kinds = new Map(sites.map(({ id, kind }) => [id, kind]));
  for (const [i, { id, kind, tables }] of plan.sites.entries()) {
    const where = `plan: sites[${i}]`;
    const found = kinds.get(id);
    if (found === undefined)
      throw new LutraError("mismatch", `the model has no layer "${id}"`, { where, note: ASK_INSPECT });
    if (found !== kind) throw new LutraError("mismatch", `the layer "${id}" is ${found}, not ${kind}`, { where });
    if (plan.sites.findIndex((other) => other.id === id) < i) {
      throw new LutraError("mismatch", `the layer "${id}" is planned twice`, { where });
    }
    const wanted = holes(kernelOf(kernels, id));
    for (const hole of wanted) checkTable(plan, hole, tables[hole.hole], `${where}.tables`);
    const extra = Object.keys(tables).find((name) => !wanted.some(({ hole }) => hole === name));
    if (extra !== undefined) {
      const note = `it has ${wanted.map(({ hole }) => hole).join(", ")}`;
      throw new LutraError("mismatch", `${kind} has no lookup "${extra}"`, { where: `${where}.tables`, note });
    }
  }
}

const ASK_INSPECT = "lutra inspect lists the layers; a plan is for the model it was made from";

function checkTable({ tables }: Plan, { hole, spec }: Hole, name: string | undefined, where: string): void {
  if (name === undefined) throw new LutraError("mismatch", `no table is named for the lookup "${hole}"`, { where });
  const place = { where: `${where}.${hole}` };
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (table === undefined) throw new LutraError("mismatch", `the plan has no table "${name}"`, place);
  const given = table.problem.spec;
  const different = (["fn", "input", "output"] as const).find((part) => hash(given[part]) !== hash(spec[part]));
  if (different === undefined) return;
  const [asked, found] = [spec[different], given[different]].map((part) => JSON.stringify(part));
  throw new LutraError("mismatch", `the lookup needs a table with ${different} ${asked}, "${name}" has ${found}`, {
    ...place,
    note: "function, input format and output format must be equal",
  });
}

/** Inputs of so few bits get an entry per code by default: 256 bytes that are correctly rounded, all of them. */
const LISTED_BITS = 8;

/** Whether a table has an entry per code unless something else is asked for. */
function isListed({ input }: Spec): boolean {
  return input.kind === "integer" && input.bits <= LISTED_BITS;
}

/** All codes of a graph's integers count: an optimal table of few segments, or one that lists the answers. */
function planCodes(spec: Spec, { segments, norm }: PlanOptions): Problem {
  const { lo, hi } = codeRange(spec.input);
  const size = { segments: isListed(spec) ? hi - lo + 1 : segments };
  const reductions = isListed(spec) ? [] : defaultReductions(spec);
  return { spec, size, norm, tails: ["clamp", "clamp"], reductions };
}

/**
 * The problem of one hole: as many segments as asked, the function's own reduction, its asymptotes as tails.
 * A function with an infinite domain but neither (sin, or any expression) is fitted over what calibration saw, and clamped there.
 * @param seen the inputs calibration recorded, if any
 */
export function planProblem(spec: Spec, options: PlanOptions, seen?: Histogram): Problem {
  if (spec.input.kind === "integer") return planCodes(spec, options);
  const { ranges = {} } = options;
  const range = Object.hasOwn(ranges, spec.fn) ? ranges[spec.fn] : undefined;
  if (range !== undefined) return planRange(spec, range, options);
  const reductions = defaultReductions(spec);
  const scales = reductions.some(({ by }) => by === "octave" || by === "exponential");
  const tails = defaultTails(spec, reductions);
  const domain = tails === null ? seenRange(spec.domain, seen) : answerable(spec, reductions, seen);
  // A mean square needs to know how often, where the domain has no end.
  const isWeighable = seen !== undefined || (Number.isFinite(domain.lo) && Number.isFinite(domain.hi));
  const norm = scales ? "relative" : options.norm === "mse" && !isWeighable ? "max" : options.norm;
  return {
    spec: { ...spec, domain },
    size: { segments: options.segments },
    norm,
    // Only the mean square weighs inputs; without it, layers of one kind ask the same question and share a table.
    ...(norm === "mse" && seen !== undefined ? { histogram: seen } : {}),
    tails: tails ?? ["clamp", "clamp"],
    reductions,
  };
}

/** A published range: beyond it the function's asymptotes where it has any, else the lines at the ends. */
function planRange(spec: Spec, range: Interval, { segments, norm }: PlanOptions): Problem {
  const [below, above] = parseFn(spec.fn).asymptotes;
  const domain = { lo: Math.max(range.lo, spec.domain.lo), hi: Math.min(range.hi, spec.domain.hi) };
  const tails = [
    spec.domain.lo < range.lo ? (below ?? "extend") : "clamp",
    spec.domain.hi > range.hi ? (above ?? "extend") : "clamp",
  ] as const;
  return { spec: { ...spec, domain }, size: { segments }, norm, tails, reductions: [] };
}

/** Whether the range to fit over can only come from data: the domain has an end where nothing is known beyond. */
export function needsCalibration(spec: Spec): boolean {
  const isBounded = Number.isFinite(spec.domain.lo) && Number.isFinite(spec.domain.hi);
  const reductions = defaultReductions(spec);
  return !isBounded && (defaultTails(spec, reductions) === null || parseFn(spec.fn).asymptotes.some(drifts));
}

/** Reductions that bring any input into a short range; they make tails needless. */
const COVERING: readonly Reduction["by"][] = ["octave", "logarithm", "exponential"];

/**
 * The reductions a function's identities offer: one that covers all inputs if there is one (after odd, if the function is odd),
 * else the symmetry that halves the range. A domain on one side of 0 needs no symmetry; an integer table knows only odd and even.
 */
export function defaultReductions({ fn, domain, input, output }: Spec): readonly Reduction[] {
  const identities = parseFn(fn).identities;
  const bothSides = domain.lo < 0 && domain.hi > 0;
  const symmetry = identities.find(({ by }) => bothSides && !COVERING.includes(by));
  if (input.kind === "integer") {
    const mirrors = input.zeroPoint === 0 && (symmetry?.by === "even" || (symmetry?.by === "odd" && isCentred(output)));
    return mirrors && symmetry !== undefined ? [symmetry] : [];
  }
  const covering = identities.find(({ by }) => COVERING.includes(by));
  return [symmetry, covering].filter((identity) => identity !== undefined).map(toReduction);
}

function isCentred(format: Format): boolean {
  return format.kind === "float" || format.zeroPoint === 0;
}

/** A function's identity as a table applies it: constants in binary32. */
export function toReduction(identity: Identity): Reduction {
  if (identity.by === "exponential") return { ...identity, factor: Math.fround(identity.factor) };
  if (identity.by === "logarithm") return { ...identity, perOctave: Math.fround(identity.perOctave) };
  return identity;
}

/** Asymptotes where the domain is unbounded; null if an unbounded side has none. */
function defaultTails(spec: Spec, reductions: readonly Reduction[]): readonly [Tail, Tail] | null {
  if (reductions.some(({ by }) => COVERING.includes(by))) return ["extend", "extend"];
  const [below, above] = parseFn(spec.fn).asymptotes;
  const symmetry = reductions[0]?.by;
  const needsBelow = symmetry !== "odd" && symmetry !== "even" && spec.domain.lo === -Infinity;
  const needsAbove = symmetry !== "reflect" && symmetry !== "complement" && spec.domain.hi === Infinity;
  if ((needsBelow && below === null) || (needsAbove && above === null)) return null;
  return [needsBelow && below !== null ? below : "clamp", needsAbove && above !== null ? above : "clamp"];
}

/**
 * The part of the domain a binary32 table can answer for: octaves are those of the positive normal numbers (a function that is odd
 * as well answers for the negative ones by its symmetry), 2^z ends at z = 127, and a tail whose slope binary32 cannot hold (SELU's)
 * drifts away from the function, or overflows (slope 2), so there the domain ends where calibration's inputs did.
 */
function answerable({ domain, fn, output }: Spec, reductions: readonly Reduction[], seen?: Histogram): Interval {
  let { lo, hi } = domain;
  for (const reduction of reductions) {
    if (reduction.by === "octave" || reduction.by === "logarithm") lo = Math.max(lo, MIN_NORMAL_BINARY32);
    if (reduction.by === "exponential") hi = Math.min(hi, floor32(lastExponent(output) / reduction.factor));
  }
  const [below, above] = parseFn(fn).asymptotes;
  const bounded = seenRange(domain, seen);
  if (drifts(below)) lo = bounded.lo;
  if (drifts(above)) hi = bounded.hi;
  return { lo, hi };
}

/** Exponent of the format's greatest power of two: above it a table's error could overflow. */
function lastExponent(output: Format): number {
  return exponentOf(codeRange(output).hi);
}

function drifts(line: Line | null): boolean {
  return line !== null && (Math.fround(line.slope) !== line.slope || Math.abs(line.slope) > 1);
}

/** Range of what was seen inside the domain; [-8, 8] if nothing was. */
function seenRange(domain: Interval, seen?: Histogram): Interval {
  const lo = seen?.edges[0] ?? -8;
  const hi = seen?.edges.at(-1) ?? 8;
  return { lo: Math.max(domain.lo, lo), hi: Math.min(domain.hi, hi) };
}
