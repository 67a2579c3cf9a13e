// Proof of Softmax and LogSoftmax from their tables.
//
// Notation: x the row, n its length, M its maximum, a_i = exp(x_i - M), S = sum a_i >= 1, p_i = a_i / S. u = 2^-24. Computed values have ^.
// Lemma. d^_i = fl(x_i - M) = (x_i - M)(1 + delta), |delta| <= u, and e^_i = min(T(d^_i), T(0)).
//   Big positions, d^_i >= -C: with T(t) / exp(t) in [r-, r+] on [-C, 0], e^_i = a_i f_i with f_i in F = [r-, r+] * exp(+-u' C), u' = u / (1 - u).
//     (The minimum keeps that: T(0) < T(t) <= r+ exp(t), and T(0) >= r- >= r- exp(t).)
//   Small positions: e^_i = a_i + z_i, |z_i| <= alpha, from the absolute error below -C and the rounding of the argument; take f_i = 1.
//   Let F include 1, W = sum a_j f_j, so F- S <= W <= F+ S, and q_i = a_i f_i / W. Then with k = F+ / F-
//     |q_i - p_i| <= (sqrt k - 1) / (sqrt k + 1)   and   1/k <= q_i / p_i <= k.
//     (q = p f / (p f + (1 - p) g) with f, g in F; the largest |q - p| is at p = 1 / (1 + sqrt k).)
//   The computed sum, in any order: s^ = W (1 + w), |w| <= omega = n alpha / F- + gamma(n - 1) (1 + n alpha / F-).
//   With R(s) s in [rho-, rho+] on the range of s^: p^_i = fl(e^_i R(s^)) = (q_i + z_i / W) G, G in [rho-, rho+] (1 +- u) / (1 +- omega),
//   but for underflow (2^-150). The final min with 1 only brings p^ nearer, for p <= 1.
// Hence |p^ - p| <= (sqrt k - 1)/(sqrt k + 1) + |G - 1| + alpha G+ / F- + 2^-149, and |p^ - p| <= p max(k G+ - 1, 1 - G- / k) + the same small rest.
// LogSoftmax: y_i = (x_i - M) - log S, y^_i = fl(d^_i - L(s^)): |y^ - y| <= u |x_i - M| + |L - log| + |log(s^ / S)| + u |y^|.

import { LutraError, type Work } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { ceil32, type Interval, iv, MAX_BINARY32, nextDown32, nextUp, UNIT_BINARY32 } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import {
  answersOf,
  type Cut,
  cutsOf,
  proveDifference,
  proveRatio,
  type Subject,
  subjectOf,
  zeroUpTo,
} from "./hole-proof.ts";
import { boundPieces } from "./interval.ts";
import { formulaOf, unknownShape } from "./pattern.ts";
import { piecesOf } from "./pieces.ts";
import { around1, distanceFrom1, gamma, ONE_ROUNDING } from "./rounding.ts";
import { type Bounds, boundsOf, type LayerProof, type RowOptions, upwards } from "./row-proof.ts";

const DIFFERENCE = "sub(x, largest(x))";
const EXPONENTIAL = `min(exp(${DIFFERENCE}), exp(0))`;
const SOFTMAX = `min(mul(${EXPONENTIAL}, reciprocal(sum(${EXPONENTIAL}))), 1)`;
const LOG_SOFTMAX = `sub(${DIFFERENCE}, log(sum(${EXPONENTIAL})))`;

type Tables = Readonly<Record<string, Table>>;

/** @throws LutraError "unsupported" for another kernel, "infeasible" if the tables allow no bound */
export function* composeSoftmax(kernel: Kernel, tables: Tables, relativeFloor: number): Work<LayerProof> {
  if (formulaOf(kernel) !== SOFTMAX) throw unknownShape(kernel);
  const maxRow = rowLength(kernel);
  const shifted = yield* proveExponentials(tables.exp as Table, maxRow);
  const scale = yield* proveRatio(subjectOf(tables.reciprocal as Table, "reciprocal"), shifted.sum);
  const nonNegative = shifted.nonNegative && scale.lo >= 0;
  return {
    bounds: softmaxBounds(shifted, scale, nonNegative, relativeFloor),
    over: `rows of 1 to ${maxRow} binary32 values, -Infinity allowed but for all of them`,
    covers: () => true,
    properties: [
      ANY_ORDER,
      ...maskProperty(shifted, "0"),
      "no probability is above 1",
      ...(nonNegative ? ["no probability is below 0"] : []),
      ...(nonNegative && scale.lo > 0 ? [argmaxProperty(shifted)] : []),
      ALL_MASKED,
    ],
  };
}

const ANY_ORDER = "holds for any order of the row's sum, each binary32 operation rounded to nearest";
const ALL_MASKED = "a row of nothing but -Infinity gives NaN, as the float operator does";

function rowLength({ spec }: Kernel): number {
  const { maxRow } = spec;
  if (maxRow !== undefined && Number.isInteger(maxRow) && maxRow >= 1) return maxRow;
  throw new LutraError("bad-argument", `a layer of rows needs its longest row, got ${maxRow}`);
}

function maskProperty({ zeroUpTo: zero }: Exponentials, result: string): readonly string[] {
  if (zero === null) return [];
  return [`a masked position (-Infinity, or ${-zero} or more below the row's maximum) is exactly ${result}`];
}

/** Room for the roundings of the difference and of the two products: one relative 2^-22 is at least two binary32 ulps. */
const TIE_MARGIN: number = 2 ** -21;

/**
 * The maximum's e^ is T(0), which none exceeds; times a positive number, rounding being monotone, that stays so. Where
 * r+ exp(t) < T(0) a position is strictly below it: for t < -log(r+ / T(0)). Nearer inputs may tie, as they do in any finite format.
 */
function argmaxProperty({ ratio, atMaximum }: Exponentials): string {
  const gap = iv.widen(parseFn("log").enclose({ lo: 1, hi: nextUp(ratio.hi / atMaximum) }), 1).hi + TIE_MARGIN;
  return `the argmax is kept: no position exceeds that of the row's maximum, and one more than ${ceil32(gap)} below it gets less`;
}

/** What the lemma needs to know of the exponentials and their sum. */
interface Exponentials {
  readonly maxRow: number;
  readonly ratio: Interval;
  readonly alpha: number;
  readonly omega: number;
  /** T(0), what the row's maximum gets. */
  readonly atMaximum: number;
  /** Range of the computed sum. */
  readonly sum: Interval;
  readonly nonNegative: boolean;
  readonly zeroUpTo: number | null;
}

function* proveExponentials(table: Table, maxRow: number): Work<Exponentials> {
  const subject = subjectOf(table, "exp");
  const atMask = evaluate(table, -Infinity);
  if (!Number.isFinite(atMask)) {
    throw new LutraError("infeasible", `the table of exp answers ${atMask} at -Infinity, where masked positions are`, {
      note: "clamp the table's argument, so that its lowest line never multiplies an infinity",
    });
  }
  const pieces = piecesOf(table, { lo: -Infinity, hi: 0 });
  const bounded = yield* boundPieces(pieces, subject.reference);
  const cut = bestCut(cutsOf(bounded, subject.reference), maxRow);
  const inTable = yield* proveRatio(subject, { lo: cut, hi: 0 });
  const rounded = (UNIT_BINARY32 * -cut) / (1 - UNIT_BINARY32 * (1 - cut));
  const ratio = iv.hull(iv.multiply(inTable, around1(rounded)), iv.interval(1));
  if (!(ratio.lo > 0)) throw new LutraError("infeasible", "the table of exp is not positive near 0");
  const alpha = yield* smallError(subject, cut);
  const share = (maxRow * alpha) / ratio.lo;
  const omega = (share + gamma(maxRow - 1) * (1 + share)) * (1 + 2 ** -40);
  const nonNegative = atMask >= 0 && pieces.every((piece) => answersOf(piece).lo >= 0);
  const atMaximum = evaluate(table, 0);
  // Rounded sums of numbers that are not negative never fall below one of them.
  const lo = nonNegative ? Math.max(ratio.lo * (1 - omega), atMaximum) : ratio.lo * (1 - omega) * (1 - 2 ** -50);
  if (!(lo > 0)) throw new LutraError("infeasible", `the table of exp is too coarse for rows of ${maxRow}`);
  const most = maxRow * (1 + gamma(maxRow - 1)) * (1 + 2 ** -50);
  const hi = nonNegative ? atMaximum * most : ratio.hi * maxRow * (1 + omega) * (1 + 2 ** -50);
  return { maxRow, ratio, alpha, omega, atMaximum, sum: { lo, hi }, nonNegative, zeroUpTo: zeroUpTo(subject, pieces) };
}

/** Where to stop counting relative error: the cut with the least final bound, as far as whole pieces tell. */
function bestCut(cuts: readonly Cut[], maxRow: number): number {
  let best = { cut: 0, bound: Infinity };
  for (const { cut, ratio, below } of cuts) {
    if (!(ratio.lo > 0)) break;
    const bound = (ratio.hi / ratio.lo - 1) / 4 + (maxRow * below) / ratio.lo - UNIT_BINARY32 * cut;
    if (bound < best.bound) best = { cut, bound };
  }
  return best.cut;
}

/** alpha: |e^_i - a_i| for positions below the cut. */
function* smallError(subject: Subject, cut: number): Work<number> {
  const { table, reference } = subject;
  const difference = yield* proveDifference(subject, { lo: -MAX_BINARY32, hi: nextDown32(cut) });
  const atCut = reference.fn.enclose({ lo: cut, hi: cut }).hi;
  // |exp(t) - exp(t (1 + delta))| <= u' |t| exp(t (1 - u')), and t exp(-t) falls from t = 1 on, where it is below 0.37.
  const steep = cut < -1.01 ? -cut * atCut * (1 - 2 * UNIT_BINARY32 * cut) : 0.37;
  const argument = UNIT_BINARY32 * steep * (1 + 2 ** -20);
  const clamp = Math.max(0, atCut - evaluate(table, 0));
  const infinite = Math.abs(evaluate(table, -Infinity));
  return Math.max(iv.magnitude(difference), clamp, infinite + 2 ** -1000) + argument;
}

/**
 * @param scale range of R(s) s over the sums there can be
 * @param nonNegative neither table answers below 0
 */
function softmaxBounds(
  { ratio, alpha, omega }: Exponentials,
  scale: Interval,
  nonNegative: boolean,
  relativeFloor: number,
): Bounds {
  // Both p^ and p lie in [0, 1], however coarse the tables, if neither is negative.
  const trivial = { absolute: 1, relative: 1 / relativeFloor, ulp: 2 ** 149 };
  if (omega >= 0.5) {
    if (nonNegative) return trivial;
    throw new LutraError("infeasible", "the table of exp is too coarse for rows this long");
  }
  const factor = iv.divide(iv.multiply(scale, ONE_ROUNDING), around1(omega));
  const k = (ratio.hi / ratio.lo) * (1 + 2 ** -50);
  const root = Math.sqrt(k);
  const spread = (root - 1) / (root + 1);
  const rest = (alpha * factor.hi) / ratio.lo + 2 ** -149;
  const share = Math.max(k * factor.hi - 1, 1 - factor.lo / k) + 2 ** -50;
  const bounds = boundsOf(share, rest, spread + 2 ** -50 + distanceFrom1(factor) + rest, relativeFloor);
  if (!nonNegative) return bounds;
  return {
    absolute: Math.min(bounds.absolute, trivial.absolute),
    relative: Math.min(bounds.relative, trivial.relative),
    ulp: Math.min(bounds.ulp, trivial.ulp),
  };
}

/** @throws LutraError "unsupported" for another kernel, "infeasible" if the tables allow no bound */
export function* composeLogSoftmax(
  kernel: Kernel,
  tables: Tables,
  relativeFloor: number,
  { spread = 128 }: RowOptions,
): Work<LayerProof> {
  if (formulaOf(kernel) !== LOG_SOFTMAX) throw unknownShape(kernel);
  const maxRow = rowLength(kernel);
  const shifted = yield* proveExponentials(tables.exp as Table, maxRow);
  const { ratio, omega } = shifted;
  if (omega >= 0.5) throw new LutraError("infeasible", `the table of exp is too coarse for rows of ${maxRow}`);
  const log = subjectOf(tables.log as Table, "log");
  const table = iv.magnitude(yield* proveDifference(log, shifted.sum));
  // log(1 + t) lies between t / (1 + t) and t. s^ / S = (W / S)(1 + w) with W / S in F.
  const fromSum = Math.max(ratio.hi - 1, (1 - ratio.lo) / ratio.lo) + omega / (1 - omega);
  const offset = (table + fromSum) * (1 + 2 ** -40);
  // |x_i - M| <= |y_i|, for log S >= 0; and |y^| <= |y| + error.
  const share = 2 * UNIT_BINARY32 * (1 + 2 ** -20);
  const rest = offset * (1 + 2 ** -20) + 2 ** -149;
  const largest = spread + log.reference.fn.enclose({ lo: maxRow, hi: maxRow }).hi;
  return {
    bounds: boundsOf(share, rest, share * largest + rest, relativeFloor),
    over:
      `rows of 1 to ${maxRow} binary32 values, -Infinity allowed but for all of them; ` +
      `the absolute bound for positions at most ${spread} below the row's maximum`,
    covers: (row) => Math.max(...row) - Math.min(...row) <= spread,
    properties: [
      ANY_ORDER,
      "a masked position (-Infinity) is -Infinity",
      `at every position |error| <= ${upwards(rest)} + ${upwards(share)} |y|`,
      "rounded differences are monotone: the argmax is kept",
      ALL_MASKED,
    ],
  };
}
