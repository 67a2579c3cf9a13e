// Every method on the papers' grids, as `lutra compare` prints it. The figures: in the norm it optimises, no table of as many entries
// in the same storage is below the optimum.
import { atMost, lutra } from "./lutra.mjs";

export const name = "compare";

const SEEDS = "10";
/** Per grid: its functions, and the sizes its paper reports. */
const GRIDS = [
  { grid: "gqa", functions: ["gelu", "hard-swish", "silu", "exp", "reciprocal", "rsqrt"], segments: "8,16" },
  { grid: "int8", functions: ["gelu", "hard-swish", "silu", "exp", "reciprocal", "rsqrt"], segments: "8,16" },
  { grid: "nn-lut", functions: ["gelu", "exp", "reciprocal", "rsqrt"], segments: "16" },
  { grid: "huang", functions: ["gelu", "exp", "tanh", "sigmoid"], segments: "64" },
];

/** Lines are fitted in real numbers and delivered in binary32: what that rounding may cost an optimum. */
const ROUNDING = 0.999;

export async function measure() {
  const rows = [];
  for (const { grid, functions, segments } of GRIDS) {
    const { rows: found } = await lutra(
      "compare",
      ...functions,
      "--grid",
      grid,
      "--segments",
      segments,
      "--seeds",
      SEEDS,
    );
    rows.push(...found);
  }
  const figures = rows
    .filter(({ ratio }) => ratio !== null)
    .map(({ method, fn, grid, segments, ratio }) =>
      atMost(`${grid}, ${fn}, ${segments} segments: the optimum is not beaten by ${method}`, ROUNDING, ratio),
    );
  return { rows, figures };
}
