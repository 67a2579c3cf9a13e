// All 2^32 binary32 inputs of a 16-segment GELU table: the time that `lutra certify --exhaustive` takes on two threads, and that it
// confirms the interval proof. The digest of all outputs is recorded: any machine that visits the same table must find the same.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra } from "./lutra.mjs";

export const name = "exhaustive";

const TABLE = ["gelu", "--in", "binary32", "--out", "binary32", "--segments", "16", "--reduce", "reflect"];
const INPUTS = 2 ** 32;
const THREADS = 2;
const SECONDS = 90;

export async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "lutra-bench-"));
  try {
    const file = join(folder, "gelu.json");
    await lutra("fit", ...TABLE, "-o", file);
    const certificate = await lutra("certify", file, "--exhaustive", "--threads", String(THREADS));
    const { absolute, kernelHash, exhaustive } = certificate;
    const { inputs, worst, seconds } = exhaustive;
    const figures = [
      atMost("inputs that were left out", INPUTS - inputs, 0),
      atMost(`time for all inputs on ${THREADS} threads`, seconds, SECONDS, "s"),
      atMost("largest error attained, of the interval proof", absolute.lower, worst.absolute.lower),
      atMost("largest error attained, of all inputs", worst.absolute.lower, absolute.upper),
      atMost("largest error proven, of all inputs", worst.absolute.upper, absolute.upper),
    ];
    return { rows: [{ table: TABLE.join(" "), kernelHash, absolute, ...exhaustive }], figures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
