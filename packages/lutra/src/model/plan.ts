// The default question for each hole: which range reductions the function's identities allow, which tails its asymptotes give,
// and in which norm its error matters. Model asks, it never fits.

import { type Identity, parseFn } from "../fn/index.ts";
import { floor32, type Histogram, type Interval, MIN_NORMAL_BINARY32 } from "../num/index.ts";
import type { Line, Norm, Problem, Reduction, Spec, Tail } from "../table/index.ts";

export interface PlanOptions {
  readonly segments: number;
  /** Norm of the functions that add their error; those that scale it (exp, 1/x, 1/sqrt under a reduction) are always relative. */
  readonly norm: Norm;
}

/**
 * The problem of one hole: as many segments as asked, the function's own reduction, its asymptotes as tails.
 * A function with an infinite domain but neither (sin, or any expression) is fitted over what calibration saw, and clamped there.
 * @param seen the inputs calibration recorded, if any
 */
export function planProblem(spec: Spec, options: PlanOptions, seen?: Histogram): Problem {
  const reductions = defaultReductions(spec);
  const scales = reductions.some(({ by }) => by === "octave" || by === "exponential");
  const tails = defaultTails(spec, reductions);
  const norm = scales ? "relative" : options.norm;
  return {
    spec: { ...spec, domain: tails === null ? seenRange(spec.domain, seen) : answerable(spec, reductions, seen) },
    size: { segments: options.segments },
    norm,
    // Only the mean square weighs inputs; without it, layers of one kind ask the same question and share a table.
    ...(norm === "mse" && seen !== undefined ? { histogram: seen } : {}),
    tails: tails ?? ["clamp", "clamp"],
    reductions,
  };
}

/** Reductions that bring any input into a short range; they make tails needless. */
const COVERING: readonly Reduction["by"][] = ["octave", "logarithm", "exponential"];

/**
 * The reductions a function's identities offer: one that covers all inputs if there is one (after odd, if the function is odd),
 * else the symmetry that halves the range. A domain on one side of 0 needs no symmetry; an integer table knows only odd and even.
 */
export function defaultReductions({ fn, domain, input }: Spec): readonly Reduction[] {
  const identities = parseFn(fn).identities;
  const bothSides = domain.lo < 0 && domain.hi > 0;
  const symmetry = identities.find(({ by }) => bothSides && !COVERING.includes(by));
  if (input.kind === "integer") {
    const mirrors = input.zeroPoint === 0 && (symmetry?.by === "odd" || symmetry?.by === "even");
    return mirrors && symmetry !== undefined ? [symmetry] : [];
  }
  const covering = identities.find(({ by }) => COVERING.includes(by));
  return [symmetry, covering].filter((identity) => identity !== undefined).map(toReduction);
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
 * drifts away from the function, so there the domain ends where calibration's inputs did.
 */
function answerable({ domain, fn }: Spec, reductions: readonly Reduction[], seen?: Histogram): Interval {
  let { lo, hi } = domain;
  for (const reduction of reductions) {
    if (reduction.by === "octave" || reduction.by === "logarithm") lo = Math.max(lo, MIN_NORMAL_BINARY32);
    if (reduction.by === "exponential") hi = Math.min(hi, floor32(LAST_EXPONENT / reduction.factor));
  }
  const [below, above] = parseFn(fn).asymptotes;
  const bounded = seenRange(domain, seen);
  if (drifts(below)) lo = bounded.lo;
  if (drifts(above)) hi = bounded.hi;
  return { lo, hi };
}

/** Largest power of two of binary32 below which a table's error cannot overflow. */
const LAST_EXPONENT = 127;

function drifts(line: Line | null): boolean {
  return line !== null && Math.fround(line.slope) !== line.slope;
}

/** Range of what was seen inside the domain; [-8, 8] if nothing was. */
function seenRange(domain: Interval, seen?: Histogram): Interval {
  const lo = seen?.edges[0] ?? -8;
  const hi = seen?.edges.at(-1) ?? 8;
  return { lo: Math.max(domain.lo, lo), hi: Math.min(domain.hi, hi) };
}
