// Certified errors of single tables: the largest error that any input can have, proven by lutra certify, and the input that
// comes closest. Minimax tables in 16-bit fixed point, and binary32 tables with the range reductions that compile chooses.
import { lutra } from "./lutra.mjs";

export const name = "errors";

const TABLES = [
  { fn: "gelu", formats: ["--in", "s16.12", "--out", "s16.12"] },
  { fn: "silu", formats: ["--in", "s16.12", "--out", "s16.12"] },
  { fn: "tanh", formats: ["--in", "s16.12", "--out", "s16.14"] },
  { fn: "sigmoid", formats: ["--in", "s16.12", "--out", "u16.15"] },
  { fn: "gelu", formats: ["--in", "binary32", "--range", "-8,8", "--reduce", "auto"] },
  { fn: "exp", formats: ["--in", "binary32", "--range", "-80,0", "--reduce", "auto"] },
  { fn: "reciprocal", formats: ["--in", "binary32", "--range", "1,4096", "--reduce", "auto"], norm: "relative" },
  { fn: "rsqrt", formats: ["--in", "binary32", "--range", "0.00001,1000", "--reduce", "auto"], norm: "relative" },
];

const SEGMENTS = [8, 16, 64];

export async function measure() {
  const rows = [];
  for (const { fn, formats, norm = "max" } of TABLES) {
    for (const segments of SEGMENTS) {
      const question = [fn, ...formats, "--norm", norm, "--segments", String(segments)];
      const { certificate, bytes, bound, seconds } = await lutra("fit", ...question);
      const { absolute, relative, shown, over } = certificate;
      rows.push({
        fn,
        formats: formats.join(" "),
        norm,
        segments,
        bytes,
        absolute,
        relative,
        bound,
        shown,
        over,
        seconds,
      });
    }
  }
  return { rows, figures: [] };
}
