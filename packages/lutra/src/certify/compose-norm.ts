// Proof of LayerNorm and RMSNorm from their table of 1/sqrt.
//
// Notation: x the row, n its length, m its mean, d_i = x_i - m (RMSNorm: m = 0), v = mean d_i^2, w = v + epsilon, z_i = d_i / sqrt w.
// u = 2^-24, gamma(n) = n u / (1 - n u). Computed values have ^. Sums may run in any order, a mean may divide or multiply by 1/n.
// Lemma (LayerNorm). m^ = m + delta with |delta| <= gamma(n + 1) mean|x| <= gamma(n + 1) (|m| + sqrt v). Over rows with |m| <= K sqrt w this
//   is at most kappa sqrt w, kappa = gamma(n + 1) (K + 1): what cancels in x - m is bounded by how far the mean is from 0.
//   d^_i = (d_i - delta)(1 +- u). As the d_i add up to 0, mean (d_i - delta)^2 = v + delta^2 exactly, so
//   w^ = w * [1 - gamma(n + 5), (1 + kappa^2)(1 + gamma(n + 5))], but for underflow of squares (2^-148 / epsilon).
//   With R(t) sqrt t in [rho-, rho+] on the range of w^: z^_i = fl(d^_i R(w^)) = (z_i - delta / sqrt w) G, G in (1 +- u)^2 [rho-, rho+] / sqrt(w^ / w).
// Hence |z^ - z| <= |z| |G - 1| + kappa G+ + 2^-149. RMSNorm is the same with kappa = 0. |z| <= sqrt(n - 1) (Samuelson), RMSNorm sqrt n.

import { LutraError, type Work } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { type Interval, iv } from "../num/index.ts";
import type { Table } from "../table/index.ts";
import { proveRatio, subjectOf } from "./hole-proof.ts";
import { formulaOf, onlyConstant, unknownShape } from "./pattern.ts";
import { distanceFrom1, gamma, ONE_ROUNDING } from "./rounding.ts";
import { boundsOf, type LayerProof, type RowOptions, upwards } from "./row-proof.ts";

/** Rows are covered up to this magnitude: squares and their sums stay finite. */
const LARGEST_INPUT = 2 ** 48;

const DEFAULT_MEAN_RATIO = 4;

/** @throws LutraError "unsupported" for another kernel, "infeasible" if the table allows no bound */
export function* composeNorm(
  kernel: Kernel,
  tables: Readonly<Record<string, Table>>,
  relativeFloor: number,
  { meanRatio = DEFAULT_MEAN_RATIO }: RowOptions,
): Work<LayerProof> {
  const epsilon = onlyConstant(kernel);
  const centred = kernel.spec.fn === "layer-norm";
  checkFormula(kernel, epsilon, centred);
  const maxRow = kernel.spec.maxRow ?? 0;
  if (!(maxRow >= 1)) throw new LutraError("bad-argument", `a layer of rows needs its longest row, got ${maxRow}`);
  if (!(meanRatio >= 0 && meanRatio < Infinity)) {
    throw new LutraError("bad-argument", `the ratio of mean to deviation must not be negative, got ${meanRatio}`);
  }

  const kappa = centred ? gamma(maxRow + 1) * (meanRatio + 1) * (1 + 2 ** -50) : 0;
  const sums = gamma(maxRow + 5) + 2 ** -148 / epsilon;
  const squareRatio: Interval = { lo: 1 - sums - 2 ** -52, hi: (1 + kappa * kappa) * (1 + sums) * (1 + 2 ** -50) };
  if (!(squareRatio.lo > 0)) throw new LutraError("infeasible", `epsilon ${epsilon} is too small for a bound`);

  const table = tables.rsqrt as Table;
  const covered = coveredSquares(table, epsilon);
  const seen = { lo: Math.max(epsilon, covered.lo * squareRatio.lo), hi: covered.hi * squareRatio.hi };
  const scale = yield* proveRatio(subjectOf(table, "rsqrt"), seen);
  const inverseRoot: Interval = {
    lo: (1 / Math.sqrt(squareRatio.hi)) * (1 - 2 ** -50),
    hi: (1 / Math.sqrt(squareRatio.lo)) * (1 + 2 ** -50),
  };
  const factor = iv.multiply(iv.multiply(iv.multiply(scale, inverseRoot), ONE_ROUNDING), ONE_ROUNDING);

  const share = distanceFrom1(factor);
  const rest = kappa * factor.hi + 2 ** -149;
  const largest = Math.sqrt(centred ? maxRow - 1 : maxRow) * (1 + 2 ** -50);
  return {
    bounds: boundsOf(share, rest, share * largest + rest, relativeFloor),
    over: overWords(kernel, covered, epsilon, centred ? meanRatio : null, maxRow),
    covers: (row) => isCovered(row, covered, epsilon, centred ? meanRatio : null),
    properties: propertiesOf(kernel, share, rest),
  };
}

function checkFormula(kernel: Kernel, epsilon: number, centred: boolean): void {
  const d = centred ? "sub(x, mean(x))" : "x";
  const normal = `mul(${d}, rsqrt(add(mean(mul(${d}, ${d})), ${epsilon})))`;
  const scaled = `mul(${normal}, gamma)`;
  const formulas = [normal, scaled, `add(${normal}, beta)`, `add(${scaled}, beta)`];
  if (!formulas.includes(formulaOf(kernel))) throw unknownShape(kernel);
}

/** Values of v + epsilon that the certificate speaks of: those of the table's domain that such rows can have. */
function coveredSquares(table: Table, epsilon: number): Interval {
  const { domain } = table.spec;
  const lo = Math.max(epsilon, domain.lo);
  const hi = Math.min(4 * LARGEST_INPUT * LARGEST_INPUT, domain.hi);
  if (lo <= hi) return { lo, hi };
  throw new LutraError("infeasible", `the table of rsqrt ends at ${domain.hi}, below epsilon ${epsilon}`);
}

/** In binary64, a hair inside the stated limits. */
function isCovered(row: readonly number[], covered: Interval, epsilon: number, ratio: number | null): boolean {
  const mean = ratio === null ? 0 : row.reduce((sum, x) => sum + x, 0) / row.length;
  const square = row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / row.length + epsilon;
  const inside = square >= covered.lo * (1 + 1e-12) || covered.lo === epsilon;
  const near = ratio === null || Math.abs(mean) <= ratio * Math.sqrt(square) * (1 - 1e-12);
  return near && inside && square <= covered.hi * (1 - 1e-12) && row.every((x) => Math.abs(x) <= LARGEST_INPUT);
}

function overWords(kernel: Kernel, covered: Interval, epsilon: number, ratio: number | null, maxRow: number): string {
  const size = kernel.spec.fn === "layer-norm" ? "variance" : "mean square";
  const conditions = [
    `|x| <= 2^48`,
    ...(ratio === null ? [] : [`|mean| <= ${ratio} sqrt(variance + epsilon)`]),
    ...(covered.lo > epsilon ? [`${size} + epsilon >= ${covered.lo}`] : []),
    ...(covered.hi < 4 * LARGEST_INPUT * LARGEST_INPUT ? [`${size} + epsilon <= ${covered.hi}`] : []),
  ];
  const weights = kernel.values.some((value) => value.op === "param" && value.name !== "x");
  return `rows of 1 to ${maxRow} binary32 values with ${conditions.join(", ")}${weights ? "; gamma 1, beta 0" : ""}`;
}

function propertiesOf(kernel: Kernel, share: number, rest: number): readonly string[] {
  const bound = `${upwards(share)} |z| + ${upwards(rest)}`;
  const weighted = kernel.values.some((value) => value.op === "param" && value.name !== "x");
  return [
    "holds for any order of the row's sums, each binary32 operation rounded to nearest; a mean may divide by n or multiply by 1/n",
    `with z the exact normalised value, |error| <= ${bound}`,
    ...(weighted
      ? [`with gamma and beta, |error| <= |gamma| (${bound}), plus the rounding of the product and of the sum`]
      : []),
  ];
}
