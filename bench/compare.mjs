// Every method on the papers' grids, as `lutra compare` prints it. The figures: in the norm it optimises, no table of as many entries
// in the same storage is below the optimum.
import { atMost, lutra } from "./lutra.mjs";

export const name = "compare";

/** Per grid: its functions, the sizes its paper reports, seeds of methods that draw lots, and the methods where not all take part. */
const GRIDS = [
  {
    grid: "gqa",
    functions: ["gelu", "hard-swish", "silu", "exp", "reciprocal", "rsqrt"],
    segments: "8,16",
    seeds: "10",
  },
  {
    grid: "int8",
    functions: ["gelu", "hard-swish", "silu", "exp", "reciprocal", "rsqrt"],
    segments: "8,16",
    seeds: "10",
  },
  { grid: "nn-lut", functions: ["gelu", "exp", "reciprocal", "rsqrt"], segments: "16", seeds: "3" },
  {
    grid: "huang",
    functions: ["gelu", "exp", "tanh", "sigmoid"],
    segments: "64",
    seeds: "3",
    // The optimum beside two-table's 322 entries would take minutes on so many points.
    methods:
      "optimal,uniform,nested,linear-mode,exponential-mode,float-bits,genetic,relu-net,polynomial-2,polynomial-3",
  },
];

/** Lines are fitted in real numbers and delivered in binary32: what that rounding may cost an optimum. */
const ROUNDING = 1.001;

export async function measure() {
  const rows = [];
  for (const { grid, functions, segments, seeds, methods } of GRIDS) {
    const options = ["--grid", grid, "--segments", segments, "--seeds", seeds];
    const chosen = methods === undefined ? [] : ["--methods", methods];
    rows.push(...(await lutra("compare", ...functions, ...options, ...chosen)).rows);
  }
  const figures = rows
    .filter(({ ratio }) => ratio !== null)
    .map(({ method, fn, grid, segments, ratio }) =>
      atMost(`${grid}, ${fn}, ${segments} segments: the optimum over ${method}`, 1 / ratio, ROUNDING),
    );
  return { rows, figures };
}
