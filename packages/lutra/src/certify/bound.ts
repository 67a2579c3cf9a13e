// Extremes of e(x) = slope x + intercept - f(x) over an interval of reals, rounded outward: a proof, not a search.
// Over each subinterval one of these lemmas closes the case, else it is split:
//   natural    e lies within the line's range minus f's enclosure
//   monotone   e' >= -d everywhere: e(lo) - d w <= e <= e(hi) + d w, w the width (likewise for e' <= d). Needs e continuous
//   curved     e'' <= d everywhere (nearly concave): e(x) <= e(m) + |e'(m)| w + d w^2 / 2 for every m; the least is at an end, less
//              d w^2 / 8. Needs e' continuous
//   far line   far out, f is a line L plus a deviation with proven bounds (fn/types.ts, FarLine): e lies between the differences of the
//              two lines less that. The two lines cancel before anything is rounded, which huge x need.
//   flat       |e''| <= M: e is within M w^2 / 8 of its chord
// d is what outward rounding leaves of a sign; it only matters that its contribution is small.

import type { FarLine } from "../fn/index.ts";
import { fromOrdered32, type Interval, iv, nextDown, nextUp, toOrdered32 } from "../num/index.ts";
import { isSmooth, type Reference } from "./reference.ts";

export interface RealLine {
  readonly slope: number;
  readonly intercept: number;
}

/** min <= e(x) <= max on the interval; argMin and argMax are where they are nearly reached (not necessarily binary32 numbers). */
export interface Extremes {
  readonly min: number;
  readonly max: number;
  readonly argMin: number;
  readonly argMax: number;
}

// None of these decides whether a bound holds, only how tight it is and what it costs: a lemma's result includes its slack.

/** The slack of a lemma is accepted below this share of the extremes found: a quarter of what worst.ts leaves open itself (2^-10). */
const TOLERANCE = 2 ** -12;
/**
 * ... or below this share of the numbers subtracted. Enclosures of named functions are 4 to 16 ulps of binary64 wide, of expressions a few
 * times that: 2^-45 is 128 ulps (2^-52), which splitting cannot improve on, and 2^-20 of a binary32 rounding (2^-25).
 */
const NOISE = 2 ** -45;
/** Splits of one piece before whatever is proven has to do. Smooth functions need a few dozen. */
const MAX_SPLITS = 2000;

/** Extremes of the line minus f over [lo, hi]. */
export function extremes(line: RealLine, reference: Reference, lo: number, hi: number): Extremes {
  return new Difference(line, reference).extremes(lo, hi);
}

/** e and its derivatives, for one line. */
class Difference {
  readonly #slope: number;
  readonly #intercept: number;
  readonly #reference: Reference;
  #splits = 0;

  constructor({ slope, intercept }: RealLine, reference: Reference) {
    this.#slope = slope;
    this.#intercept = intercept;
    this.#reference = reference;
  }

  extremes(lo: number, hi: number): Extremes {
    const [below, above] = this.#reference.fn.farLines;
    const to = above === null ? hi : Math.min(hi, above.from);
    const from = below === null ? lo : Math.max(lo, -below.from);
    let result: Extremes | null = null;
    if (above !== null && hi > above.from) result = this.#farOut(above, Math.max(lo, above.from), hi);
    if (below !== null && lo < -below.from) result = join(result, this.#farOut(below, lo, Math.min(hi, -below.from)));
    return from <= to ? join(result, this.#betweenKinks(from, to)) : (result as Extremes);
  }

  /** By the far line; where its deviation counts, the other lemmas have their say too. */
  #farOut(line: FarLine, lo: number, hi: number): Extremes {
    const far = this.#alongFarLine(line, lo, hi);
    const slack = line.deviation.hi - line.deviation.lo + 2 * line.slopeError * Math.max(Math.abs(lo), Math.abs(hi));
    if (this.#isSmall(slack, lo, hi, far)) return far;
    const near = this.#betweenKinks(lo, hi);
    return {
      min: Math.max(far.min, near.min),
      max: Math.min(far.max, near.max),
      argMin: near.argMin,
      argMax: near.argMax,
    };
  }

  #alongFarLine(line: FarLine, lo: number, hi: number): Extremes {
    const slope = this.#slope - line.slope;
    const offset = this.#intercept - line.intercept;
    const slopeDoubt = line.slopeError + differenceError(this.#slope, line.slope);
    const offsetDoubt = differenceError(this.#intercept, line.intercept);
    const ends = [lo, hi].map((x) => {
      const doubt = (slopeDoubt * Math.abs(x) + offsetDoubt) * (1 + 2 ** -50);
      return { x, difference: slope * x + offset, noise: this.#noise(slope, offset, x) + doubt };
    });
    const least = ends.reduce((a, b) => (b.difference - b.noise < a.difference - a.noise ? b : a));
    const most = ends.reduce((a, b) => (b.difference + b.noise > a.difference + a.noise ? b : a));
    return {
      min: nextDown(least.difference - least.noise - line.deviation.hi),
      max: nextUp(most.difference + most.noise - line.deviation.lo),
      argMin: least.x,
      argMax: most.x,
    };
  }

  /** Between kinks f' is continuous. */
  #betweenKinks(lo: number, hi: number): Extremes {
    let result: Extremes | null = null;
    let start = lo;
    for (const kink of this.#reference.fn.kinks) {
      if (kink < lo || kink > hi) continue;
      result = join(result, this.#atPoint(kink));
      if (start < kink) result = join(result, this.#between(start, nextDown(kink)));
      start = nextUp(kink);
    }
    if (start <= hi) result = join(result, this.#between(start, hi));
    return result ?? this.#atPoint(lo);
  }

  /** Enclosure of e at one point. */
  #value(x: number): Interval {
    const { fn } = this.#reference;
    const product = this.#slope * x;
    const value = product + this.#intercept - fn.evaluate(x);
    const noise = fn.errorAt(x) + this.#noise(this.#slope, this.#intercept, x) + Math.abs(value) * 2 ** -52;
    return { lo: value - noise, hi: value + noise };
  }

  /** Bound on the binary64 rounding of slope * x + intercept. Products of two binary32 numbers are exact, and so is adding 0. */
  #noise(slope: number, intercept: number, x: number): number {
    const product = slope * x;
    const productError = isBinary32(slope) && isBinary32(x) ? 0 : Math.abs(product);
    const sumError = product === 0 || intercept === 0 ? 0 : Math.abs(product + intercept);
    return (productError + sumError) * 2 ** -52;
  }

  #atPoint(x: number): Extremes {
    const { lo, hi } = this.#value(x);
    return { min: lo, max: hi, argMin: x, argMax: x };
  }

  #between(lo: number, hi: number): Extremes {
    if (lo === hi) return this.#atPoint(lo);
    const ends = join(this.#atPoint(lo), this.#atPoint(hi));
    const closed = this.#natural(lo, hi, ends) ?? this.#monotone(lo, hi, ends) ?? this.#curved(lo, hi, ends);
    if (closed !== null) return closed;
    const middle = middleOf(lo, hi);
    if (this.#splits++ >= MAX_SPLITS || !(middle > lo && middle < hi)) return this.#whatever(lo, hi, ends);
    return join(this.#between(lo, middle), this.#between(middle, hi));
  }

  #range(lo: number, hi: number): Interval {
    const line = iv.multiply({ lo: this.#slope, hi: this.#slope }, { lo, hi });
    const shifted = this.#intercept === 0 ? line : iv.add(line, iv.interval(this.#intercept));
    const exact = this.#slope === 0 ? iv.interval(this.#intercept) : shifted;
    return iv.subtract(exact, this.#reference.fn.enclose({ lo, hi }));
  }

  #natural(lo: number, hi: number, ends: Extremes): Extremes | null {
    const range = this.#range(lo, hi);
    const slack = Math.max(range.hi - ends.max, ends.min - range.lo);
    return this.#isSmall(slack, lo, hi, ends) ? { ...ends, min: range.lo, max: range.hi } : null;
  }

  #monotone(lo: number, hi: number, ends: Extremes): Extremes | null {
    const derivative = this.#reference.first.enclose({ lo, hi });
    if (!isBounded(derivative) || !this.#reference.fn.continuousOn({ lo, hi })) return null;
    const least = this.#slope - derivative.hi;
    const most = this.#slope - derivative.lo;
    const slack = Math.max(0, Math.min(-least, most)) * (hi - lo) * (1 + 2 ** -50);
    return this.#isSmall(slack, lo, hi, ends) ? widened(ends, slack, slack) : null;
  }

  #curved(lo: number, hi: number, ends: Extremes): Extremes | null {
    const width = (hi - lo) * (1 + 2 ** -50);
    const second = this.#reference.second.enclose({ lo, hi });
    if (!isBounded(second) || !isSmooth(this.#reference, { lo, hi })) return null;
    const flat = (iv.magnitude(second) * width * width) / 8;
    if (this.#isSmall(flat, lo, hi, ends)) return widened(ends, flat, flat);
    // e'' = -f''. Concave e where f'' >= -d, convex where f'' <= d.
    const concave = second.lo >= 0 || -second.lo < second.hi;
    const excess = Math.max(0, concave ? -second.lo : second.hi) * width * width;
    if (!this.#isSmall(excess, lo, hi, ends)) return null;
    const middle = this.#critical(lo, hi);
    const tangent = this.#reference.first.enclose({ lo: middle, hi: middle });
    const tilt = iv.magnitude({ lo: this.#slope - tangent.hi, hi: this.#slope - tangent.lo });
    const reach = tilt * Math.max(middle - lo, hi - middle) * (1 + 2 ** -50) + excess;
    const inside = this.#value(middle);
    const largest = Math.max(ends.max, inside.hi + reach);
    const smallest = Math.min(ends.min, inside.lo - reach);
    return concave
      ? {
          min: ends.min - excess,
          max: largest,
          argMin: ends.argMin,
          argMax: inside.hi > ends.max ? middle : ends.argMax,
        }
      : {
          min: smallest,
          max: ends.max + excess,
          argMin: inside.lo < ends.min ? middle : ends.argMin,
          argMax: ends.argMax,
        };
  }

  /** Near the zero of e' in an interval where e' is monotone, by false position kept honest by bisection. No accuracy is relied on. */
  #critical(lo: number, hi: number): number {
    const tiltAt = (x: number): number => this.#slope - this.#reference.first.evaluate(x);
    let a = lo;
    let b = hi;
    let tiltA = tiltAt(a);
    let tiltB = tiltAt(b);
    if (!(tiltA * tiltB < 0)) return Math.abs(tiltA) < Math.abs(tiltB) ? a : b;
    let best = a;
    for (let i = 0; i < 24; i++) {
      const secant = a + ((b - a) * tiltA) / (tiltA - tiltB);
      const middle = i % 3 === 2 || !(secant > a && secant < b) ? (a + b) / 2 : secant;
      const tilt = tiltAt(middle);
      best = middle;
      if (Math.abs(tilt) <= 2 ** -24 * Math.abs(tiltAt(lo) - tiltAt(hi)) || !(middle > a && middle < b)) break;
      if (tilt * tiltA > 0) {
        a = middle;
        tiltA = tilt;
      } else {
        b = middle;
        tiltB = tilt;
      }
    }
    return best;
  }

  /** Whether a slack hardly matters beside the extremes already attained, or beside what binary64 can tell. Not so for NaN, Infinity. */
  #isSmall(slack: number, lo: number, hi: number, { min, max }: Extremes): boolean {
    const near = lo <= 0 && hi >= 0 ? 0 : Math.min(Math.abs(lo), Math.abs(hi));
    const operands = Math.abs(this.#slope) * near + Math.abs(this.#intercept);
    return slack <= TOLERANCE * Math.max(Math.abs(min), Math.abs(max)) + NOISE * operands + Number.MIN_VALUE;
  }

  /** When splitting has gone as far as it may: the best of the lemmas that always hold. */
  #whatever(lo: number, hi: number, ends: Extremes): Extremes {
    const range = this.#range(lo, hi);
    const width = (hi - lo) * (1 + 2 ** -50);
    const derivative = this.#reference.first.enclose({ lo, hi });
    if (!isBounded(derivative) || !this.#reference.fn.continuousOn({ lo, hi }))
      return { ...ends, min: range.lo, max: range.hi };
    const steep = iv.magnitude({ lo: this.#slope - derivative.hi, hi: this.#slope - derivative.lo }) * width;
    return {
      ...ends,
      min: Math.max(range.lo, ends.min - steep),
      max: Math.min(range.hi, ends.max + steep),
    };
  }
}

function isBounded({ lo, hi }: Interval): boolean {
  return lo > -Infinity && hi < Infinity;
}

/** Bound on the rounding of a - b: 0 where the difference gives both back. */
function differenceError(a: number, b: number): number {
  const difference = a - b;
  return difference + b === a && a - difference === b ? 0 : Math.abs(difference) * 2 ** -53 + Number.MIN_VALUE;
}

function isBinary32(x: number): boolean {
  return Math.fround(x) === x;
}

function widened(e: Extremes, below: number, above: number): Extremes {
  return { ...e, min: nextDown(e.min - below), max: nextUp(e.max + above) };
}

function join(a: Extremes | null, b: Extremes): Extremes {
  if (a === null) return b;
  return {
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    argMin: a.min <= b.min ? a.argMin : b.argMin,
    argMax: a.max >= b.max ? a.argMax : b.argMax,
  };
}

/** Arithmetic for intervals of moderate size, by orders of magnitude for wide ones, 0 for wide ones around it. */
export function middleOf(lo: number, hi: number): number {
  const near = Math.min(Math.abs(lo), Math.abs(hi));
  const far = Math.max(Math.abs(lo), Math.abs(hi));
  if (lo < 0 && hi > 0) return far > 64 ? 0 : lo / 2 + hi / 2;
  if (far <= 64 && (near === 0 || far / near < 16)) return lo / 2 + hi / 2;
  if (near === 0 && far <= 64) return lo / 2 + hi / 2;
  if (far / near < 2) return lo / 2 + hi / 2;
  return fromOrdered32(Math.floor((toOrdered32(Math.max(-3.4e38, lo)) + toOrdered32(Math.min(3.4e38, hi))) / 2));
}
