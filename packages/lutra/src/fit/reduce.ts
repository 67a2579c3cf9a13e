// Range reductions as the fit sees them: where an input goes, what an error there costs, and which function is left to fit.
// The identities belong to the function, the bits to evaluate(); here they fold domains, points and tails.

import { LutraError } from "../base/index.ts";
import { type Fn, parseFn } from "../fn/index.ts";
import { exponentOf, type Interval, iv, powerOfTwo } from "../num/index.ts";
import { type Line, type Reduction, splitOctave, type Tail } from "../table/index.ts";

/** Where an input goes, and by how much an error of the reduced table is multiplied on the way back. */
export interface Folded {
  readonly t: number;
  readonly gain: number;
}

/** The question that is left behind all reductions. */
export interface Reduced {
  readonly fn: Fn;
  readonly domain: Interval;
  readonly tails: readonly [below: Tail, above: Tail];
}

const LEAST_OCTAVE = -126;
const LAST_OCTAVE = 127;
/** Factors and offsets are stored in binary32, the identities in binary64. */
const SAME_CONSTANT: number = 2 ** -22;

/** The reduced question. @throws LutraError if the function lacks an identity, or a tail contradicts one */
export function reduceQuestion(
  fn: Fn,
  reductions: readonly Reduction[],
  domain: Interval,
  tails: readonly [below: Tail, above: Tail],
): Reduced {
  return reductions.reduce<Reduced>(
    (outer, reduction) => {
      if (!outer.fn.identities.some((identity) => sameIdentity(identity, reduction))) {
        throw new LutraError(
          "bad-argument",
          `${outer.fn.text} has no identity "${reduction.by}" to reduce its range by`,
          {
            note: `its identities: ${outer.fn.identities.map((identity) => identity.by).join(", ") || "none"}`,
          },
        );
      }
      return {
        fn: reduction.by === "exponential" ? parseFn("exp2") : outer.fn,
        domain: foldDomain(reduction, outer.domain),
        tails: foldTails(reduction, outer.tails),
      };
    },
    { fn, domain, tails },
  );
}

function sameIdentity(a: Reduction, b: Reduction): boolean {
  const near = (p: number, q: number): boolean => Math.abs(p - q) <= SAME_CONSTANT * Math.abs(p);
  switch (a.by) {
    case "octave":
      return b.by === "octave" && a.step === b.step && a.power === b.power;
    case "logarithm":
      return b.by === "logarithm" && near(a.perOctave, b.perOctave);
    case "exponential":
      return b.by === "exponential" && near(a.factor, b.factor);
    default:
      return a.by === b.by;
  }
}

function foldDomain(reduction: Reduction, domain: Interval): Interval {
  switch (reduction.by) {
    case "odd":
    case "even":
      return { lo: iv.mignitude(domain), hi: iv.magnitude(domain) };
    case "reflect":
    case "complement":
      return { lo: -iv.magnitude(domain), hi: -iv.mignitude(domain) };
    case "octave":
      return foldOctaves(domain, reduction.step);
    case "logarithm":
      return foldOctaves(domain, 1);
    case "exponential": {
      const ends = [domain.lo * reduction.factor, domain.hi * reduction.factor].sort((a, b) => a - b);
      const [lo, hi] = ends as [number, number];
      const octave = Math.floor(lo);
      return octave === Math.floor(hi) ? { lo: lo - octave, hi: hi - octave } : { lo: 0, hi: 1 };
    }
    default:
      return reduction satisfies never;
  }
}

function foldOctaves(domain: Interval, step: 1 | 2): Interval {
  const low = splitOctave(domain.lo, step);
  const high = splitOctave(domain.hi, step);
  return low.octave === high.octave ? { lo: low.mantissa, hi: high.mantissa } : { lo: 1, hi: 2 ** step };
}

/** The side that the identity keeps; the other side follows from it. */
function foldTails(reduction: Reduction, [below, above]: readonly [Tail, Tail]): readonly [Tail, Tail] {
  switch (reduction.by) {
    case "odd":
      checkMirror(reduction, above, below, ({ slope, intercept }) => ({ slope, intercept: -intercept }));
      return ["clamp", above];
    case "even":
      checkMirror(reduction, above, below, ({ slope, intercept }) => ({ slope: -slope, intercept }));
      return ["clamp", above];
    case "reflect":
      checkMirror(reduction, below, above, ({ slope, intercept }) => ({ slope: 1 - slope, intercept }));
      return [below, "clamp"];
    case "complement":
      checkMirror(reduction, below, above, ({ slope, intercept }) => ({ slope, intercept: 1 - intercept }));
      return [below, "clamp"];
    default:
      if (typeof below === "object" || typeof above === "object") {
        throw new LutraError("bad-argument", `the reduction "${reduction.by}" leaves no tail that could be a line`, {
          note: 'use the tails "clamp"',
        });
      }
      return ["clamp", "clamp"];
  }
}

function checkMirror(reduction: Reduction, kept: Tail, other: Tail, mirror: (line: Line) => Line): void {
  if (typeof kept !== "object" || typeof other !== "object") return;
  const expected = mirror(kept);
  if (expected.slope === other.slope && expected.intercept === other.intercept) return;
  throw new LutraError("bad-argument", `the two tails contradict the reduction "${reduction.by}"`, {
    note: `one tail makes the other ${expected.slope} x + ${expected.intercept}`,
  });
}

/** Where x goes through all reductions, with evaluate()'s own rounding. */
export function fold(reductions: readonly Reduction[], x: number): Folded {
  let t = x;
  let gain = 1;
  for (const reduction of reductions) {
    const step = foldOnce(reduction, t);
    t = step.t;
    gain *= step.gain;
  }
  return { t, gain };
}

function foldOnce(reduction: Reduction, x: number): Folded {
  switch (reduction.by) {
    case "odd":
    case "even":
      return { t: Math.abs(x), gain: 1 };
    case "reflect":
    case "complement":
      return { t: -Math.abs(x), gain: 1 };
    case "octave": {
      const { mantissa, octave } = splitOctave(x, reduction.step);
      return { t: mantissa, gain: powerOfTwo(reduction.power * octave) };
    }
    case "logarithm":
      return { t: splitOctave(x, 1).mantissa, gain: 1 };
    case "exponential": {
      const z = Math.fround(reduction.factor * x);
      const octave = Math.min(LAST_OCTAVE, Math.max(LEAST_OCTAVE, Math.floor(z)));
      return { t: Math.fround(z - octave), gain: powerOfTwo(octave) };
    }
    default:
      return reduction satisfies never;
  }
}

/** Takes an input and its gain; false ends the visit. */
type Visit = (x: number, gain: number) => boolean;

const POWERS: Float64Array = Float64Array.from({ length: LAST_OCTAVE - LEAST_OCTAVE + 1 }, (_, i) =>
  powerOfTwo(i + LEAST_OCTAVE),
);

/** 2^j for LEAST_OCTAVE <= j <= LAST_OCTAVE. */
function power(j: number): number {
  return POWERS[j - LEAST_OCTAVE] as number;
}

/**
 * Visits the inputs that go to t (up to rounding, for "exponential"), larger gains first, until told to stop. Inputs are not
 * yet binary32. False if it was stopped.
 */
export function unfold(reductions: readonly Reduction[], t: number, visit: Visit): boolean {
  const last = reductions[reductions.length - 1];
  if (last === undefined) return visit(t, 1);
  const outer = reductions.slice(0, -1);
  if (outer.length === 0) return unfoldOnce(last, t, visit);
  return unfoldOnce(last, t, (u, gain) => unfold(outer, u, (x, before) => visit(x, before * gain)));
}

function unfoldOnce(reduction: Reduction, t: number, visit: Visit): boolean {
  switch (reduction.by) {
    case "odd":
    case "even":
    case "reflect":
    case "complement":
      return visit(t, 1) && (t === 0 || visit(-t, 1));
    case "octave":
      return unfoldOctaves(t, reduction.step, reduction.power, visit);
    case "logarithm":
      return unfoldOctaves(t, 1, 0, visit);
    case "exponential":
      for (let j = LAST_OCTAVE; j >= LEAST_OCTAVE; j--) if (!visit((t + j) / reduction.factor, power(j))) return false;
      return true;
    default:
      return reduction satisfies never;
  }
}

/** t 2^(step j) for every j that stays a positive normal binary32. */
function unfoldOctaves(t: number, step: 1 | 2, gainPower: -1 | 0 | 1, visit: Visit): boolean {
  const first = Math.ceil((LEAST_OCTAVE - exponentOf(t)) / step);
  const last = Math.floor((LAST_OCTAVE - exponentOf(t)) / step);
  for (let k = 0; k <= last - first; k++) {
    const j = gainPower > 0 ? last - k : first + k;
    if (!visit(t * power(step * j), gainPower === 0 ? 1 : power(gainPower * j))) return false;
  }
  return true;
}
