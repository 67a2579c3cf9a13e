// The attained side of a row layer's certificate: the worst error among seeded rows and rows built to be bad. Never a proof.

import type { Work } from "../base/index.ts";
import { layerNorm, logSoftmax, rmsNorm, softmax } from "../fn/index.ts";
import { interpret, type Kernel } from "../kernel/index.ts";
import { random, ulp32 } from "../num/index.ts";
import { onlyConstant } from "./pattern.ts";
import type { LayerProof } from "./row-proof.ts";
import type { Certificate, ErrorBound } from "./types.ts";

type Attained = Omit<ErrorBound, "upper">;

/** Longer rows would make the certificate itself long: the worst row is part of it. */
const LONGEST = 256;
const SEEDED_ROWS = 400;
const SEED = 2602;
/**
 * The references' own error, as a share of the row's largest result, taken off what is called attained. In ulps of binary64 (2^-52): exp and
 * log within 2, compensated sums and means 2, square root and quotient 1 each; x - mean brings in the mean's, at most DEFAULT_MEAN_RATIO
 * = 4 times sigma. Below 16 ulps = 2^-48 together; 16 times that is taken off. Nothing proven from above leans on it.
 */
const DOUBT = 2 ** -44;

/** The worst error found, in each of the three measures. */
export function* attainedOn(
  kernel: Kernel,
  { covers }: LayerProof,
  holes: Readonly<Record<string, Certificate>>,
  relativeFloor: number,
): Work<Readonly<Record<"absolute" | "relative" | "ulp", Attained>>> {
  const best = { absolute: NONE, relative: NONE, ulp: NONE };
  const rows = [...seededRows(kernel), ...builtRows(kernel, holes)].filter(covers);
  for (const [i, row] of rows.entries()) {
    if (i % 64 === 0) yield { stage: "trying rows", done: i, total: rows.length };
    const delivered = deliver(kernel, row);
    const exact = referenceOn(kernel, row);
    const doubt =
      DOUBT * exact.reduce((most, y) => (Math.abs(y) < Infinity ? Math.max(most, Math.abs(y)) : most), 1e-30);
    exact.forEach((y, at) => {
      const error = Math.max(0, Math.abs((delivered[at] as number) - y) - doubt);
      if (!(error < Infinity)) return;
      const found = {
        absolute: error,
        relative: error / Math.max(Math.abs(y) + doubt, relativeFloor),
        ulp: error / ulp32(Math.abs(y) + doubt),
      };
      for (const measure of ["absolute", "relative", "ulp"] as const) {
        if (found[measure] > best[measure].lower) best[measure] = { lower: found[measure], at, row };
      }
    });
  }
  return best;
}

const NONE: Attained = { lower: 0, at: null };

function deliver(kernel: Kernel, row: readonly number[]): Float64Array {
  const ones = new Float64Array(row.length).fill(1);
  const zeros = new Float64Array(row.length);
  return interpret(kernel, { x: row, gamma: ones, beta: zeros }, 1, row.length)[0] as Float64Array;
}

function referenceOn(kernel: Kernel, row: readonly number[]): Float64Array {
  switch (kernel.spec.fn) {
    case "softmax":
      return softmax(row);
    case "log-softmax":
      return logSoftmax(row);
    case "layer-norm":
      return layerNorm(row, null, null, onlyConstant(kernel));
    default:
      return rmsNorm(row, null, onlyConstant(kernel));
  }
}

function longest(kernel: Kernel): number {
  return Math.min(LONGEST, kernel.spec.maxRow ?? 1);
}

function seededRows(kernel: Kernel): number[][] {
  const source = random(SEED);
  return Array.from({ length: SEEDED_ROWS }, () => {
    const length = 1 + source.below(Math.min(longest(kernel), 1 << (1 + source.below(7))));
    const scale = 2 ** (source.below(9) - 4);
    return Array.from({ length }, () => Math.fround(scale * source.normal()));
  });
}

/** Softmax: one maximum, the others all at one distance. Norms: one value alone, scaled over two octaves of its square. */
function builtRows(kernel: Kernel, holes: Readonly<Record<string, Certificate>>): number[][] {
  const lengths = [2, 3, 8, 64, LONGEST].filter((length) => length <= longest(kernel));
  const one = (length: number, first: number, others: number): number[] => [
    Math.fround(first),
    ...new Array<number>(length - 1).fill(Math.fround(others)),
  ];
  if (kernel.spec.fn.endsWith("softmax")) {
    const worst = [holes.exp?.relative.at, holes.exp?.absolute.at].flatMap((at) =>
      typeof at === "number" ? [at] : [],
    );
    const distances = [...worst, ...Array.from({ length: 128 }, (_, i) => -(i + 1) / 16)];
    return lengths.flatMap((length) => distances.map((distance) => one(length, 0, distance)));
  }
  const scales = Array.from({ length: 128 }, (_, i) => 8 * (1 + i / 32));
  return lengths.flatMap((length) => scales.map((scale) => one(length, scale, 0)));
}
