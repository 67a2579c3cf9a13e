// Certified errors of single tables: the largest error that any input can have, proven by the certificate, and the input that
// comes closest to it. 16-bit fixed point, every code visited; and binary32 with the range reductions that compile chooses.
import { decode } from "lutra";
import { lutra } from "./lutra.mjs";

export const name = "errors";

const TABLES = [
  { fn: "gelu", formats: ["--in", "s16.12", "--out", "s16.12"] },
  { fn: "silu", formats: ["--in", "s16.12", "--out", "s16.12"] },
  { fn: "tanh", formats: ["--in", "s16.12", "--out", "s16.14"] },
  { fn: "sigmoid", formats: ["--in", "s16.12", "--out", "u16.15"] },
  { fn: "gelu", formats: ["--in", "binary32"], range: "-8,8" },
  { fn: "exp", formats: ["--in", "binary32"], range: "-80,0" },
  { fn: "reciprocal", formats: ["--in", "binary32"], range: "1,4096", relative: true },
  { fn: "rsqrt", formats: ["--in", "binary32"], range: "0.00001,1000", relative: true },
];

/** Of the tables in README.md, one column each. */
const SEGMENTS = [8, 16, 64];

export async function measure() {
  const rows = [];
  for (const { fn, formats, range, relative = false } of TABLES) {
    const reach = range === undefined ? [] : ["--range", range, "--reduce", "auto"];
    const tables = [];
    for (const segments of SEGMENTS) {
      const norm = ["--norm", relative ? "relative" : "max", "--segments", String(segments)];
      tables.push({ segments, ...summary(await lutra("fit", fn, ...formats, ...reach, ...norm), relative) });
    }
    rows.push({ fn, formats: formats.filter((word) => !word.startsWith("--")), range, relative, tables });
  }
  return { rows, figures: [] };
}

function summary({ certificate, bytes, seconds }, relative) {
  const { upper, lower, at } = relative ? certificate.relative : certificate.absolute;
  return { bytes, upper, lower, worst: decode(certificate.spec.input, at), shown: certificate.shown, seconds };
}
