// Runs seeded cases against a reader and says what a reader owes: a value or a LutraError, soon, and without keeping memory. How many
// cases: a share of LUTRA_FUZZ_CASES (100,000 unless it is set). A case that never ends is named and ends the test process.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { afterAll, expect } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { type Random, random } from "../../packages/lutra/src/num/index.ts";

const CASES = Number(process.env.LUTRA_FUZZ_CASES ?? 100_000);

/** No case may take longer. Cases take microseconds; the machine may be busy. */
const CASE_LIMIT_MS = 3000;
/** After this long without an end, a case is taken for a hang. */
const HANG_MS = 30_000;
/** What all cases of one subject may leave behind, and by how much they may raise the process's peak. */
const KEPT_LIMIT_BYTES = 16 * 2 ** 20;
const PEAK_LIMIT_BYTES = 512 * 2 ** 20;

export interface Subject<T> {
  /** Of all cases, from 0 to 1. */
  readonly share: number;
  readonly make: (draw: Random) => T;
  readonly read: (made: T) => unknown;
  /** To find a case again. */
  readonly show: (made: T) => string;
}

export interface Survived {
  readonly cases: number;
  readonly accepted: number;
  readonly slowestMs: number;
}

/** Runs the subject's share of the cases. Prints how many were accepted and which took longest. */
export async function survives<T>(name: string, { share, make, read, show }: Subject<T>): Promise<Survived> {
  const cases = Math.ceil(CASES * share);
  const draw = random(cases);
  const before = await keptBytes();
  const peakBefore = peakBytes();
  let accepted = 0;
  let slowest = { ms: 0, shown: "" };
  for (let run = 0; run < cases; run++) {
    const made = make(draw);
    watch(`${name}, case ${run} of ${cases}`);
    const start = performance.now();
    try {
      await read(made);
      accepted++;
    } catch (error) {
      if (!(error instanceof LutraError)) throw new Error(`${name}, case ${run}: ${show(made)}`, { cause: error });
    }
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { ms, shown: ms > CASE_LIMIT_MS ? show(made) : "" };
  }
  watch("");
  console.log(`${name}: ${cases} cases, ${accepted} accepted, the slowest took ${slowest.ms.toFixed(1)} ms`);
  expect(slowest.ms, slowest.shown).toBeLessThan(CASE_LIMIT_MS);
  expect((await keptBytes()) - before, "bytes kept").toBeLessThan(KEPT_LIMIT_BYTES);
  expect(peakBytes() - peakBefore, "bytes at the peak").toBeLessThan(PEAK_LIMIT_BYTES);
  return { cases, accepted, slowestMs: slowest.ms };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** In use after a collection; buffers are freed a turn of the event loop later. */
async function keptBytes(): Promise<number> {
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 20));
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

// A hang blocks this thread, so that another one has to notice it.
const beat = new Int32Array(new SharedArrayBuffer(4));
const label = new Uint8Array(new SharedArrayBuffer(256));
const watchdog = new Worker(
  `const { beat, label, limit } = require("node:worker_threads").workerData;
  let [seen, since] = [0, Date.now()];
  setInterval(() => {
    if (beat[0] !== seen) [seen, since] = [beat[0], Date.now()];
    if (label[0] === 0 || Date.now() - since < limit) return;
    require("node:fs").writeSync(2, "hangs: " + Buffer.from(label).toString().replace(/\\0+$/, "") + "\\n");
    process.kill(process.pid, "SIGKILL");
  }, 500);`,
  { eval: true, workerData: { beat, label, limit: HANG_MS } },
);
watchdog.unref();
afterAll(async () => {
  await watchdog.terminate();
});

/** Tells the watchdog that a case begins; "" that none runs. */
function watch(text: string): void {
  label.fill(0);
  new TextEncoder().encodeInto(text, label);
  beat[0]++;
}
