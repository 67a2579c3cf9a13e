// The faster of two modules of one kernel, by a short measurement. Engines compile a module again, better, once it has run for a while: both
// run in turn for the time there is, and the best of each counts.

import { type Kernel, laneRange } from "../kernel/index.ts";
import { type Extent, signatureOf } from "./call.ts";
import type { Codes } from "./codes.ts";
import { type Choice, computeOf, instantiate } from "./load.ts";
import { Runner } from "./runner.ts";
import { Workspace } from "./workspace.ts";

/** Of the turns of both together. */
const BUDGET_MS = 3;
/** Of each, on runs of nothing: V8 counts them like others and compiles a module again after some thousands. */
const WARM_UP_MS = 0.2;
/** Of one turn: more than a browser's clock blurs. */
const TURN_MS = 0.12;
/** Values of one run: so many that the call does not count, few enough for a cache. */
const ELEMENTS = 8192;
const MOST_COLUMNS = 256;
/** A module that became so much faster was compiled again. */
const RECOMPILED = 0.6;
/** So much less time the first must take: what is compiled in haste says little of what comes after. */
const MARGINS = { recompiled: 0.97, hasty: 0.75 } as const;

/**
 * Which of two modules runs faster here and now. Where only one is seen to have been compiled again, they cannot be compared, and the
 * second is taken. Two calls may differ: nothing but time may depend on the answer.
 */
export function isFirstFaster(kernel: Kernel, first: Choice, second: Choice): boolean {
  const contestants = [first, second].map((choice) => {
    const { runs, runsOfNothing } = contestant(kernel, choice);
    timeOf(runs, 0);
    const start = timeOf(runs, 0);
    timeOf(runsOfNothing, WARM_UP_MS);
    return { runs, start, best: Infinity };
  });
  const end = performance.now() + BUDGET_MS;
  while (performance.now() < end) {
    for (const contestant of contestants) contestant.best = Math.min(contestant.best, timeOf(contestant.runs, TURN_MS));
  }
  const [a, b] = contestants.map(({ start, best }) => ({ best, isRecompiled: best < RECOMPILED * start }));
  if (a === undefined || b === undefined || a.isRecompiled !== b.isRecompiled) return false;
  return a.best < MARGINS[a.isRecompiled ? "recompiled" : "hasty"] * b.best;
}

/** Milliseconds per run, of at least so long together. */
function timeOf(run: () => void, least: number): number {
  const start = performance.now();
  let runs = 0;
  let elapsed = 0;
  do {
    run();
    runs++;
    elapsed = performance.now() - start;
  } while (elapsed < least);
  return elapsed / runs;
}

interface Contestant {
  readonly runs: () => void;
  readonly runsOfNothing: () => void;
}

/** Runs on numbers such as kernels see: floats from -8 to 8, integers all over their range. */
function contestant(kernel: Kernel, { emitted, compiled }: Choice): Contestant {
  const exports = instantiate(compiled);
  const signature = signatureOf(emitted);
  const workspace = new Workspace(exports.memory, exports.heap);
  const compute = computeOf(emitted, exports);
  const runner = new Runner({ signature, needs: { ...emitted, threads: 1 }, workspace, compute });
  const extent = extentOf(Math.min(MOST_COLUMNS, signature.maxColumns), emitted.isOverRows);
  const { inputs, outputs } = runner.buffers(extent);
  for (const value of kernel.values) {
    if (value.op !== "param") continue;
    const lane = laneRange(value.lane);
    const [lo, hi] = value.range ?? (lane === null ? [-8, 8] : [lane.lo, lane.hi]);
    fill(inputs[value.name] as Codes, lo, hi);
  }
  const addresses = [...Object.values(inputs), ...Object.values(outputs)].map(({ byteOffset }) => byteOffset);
  const { scratch } = runner.layout(extent.columns, { isInside: true, isElsewhere: false });
  const nothing = { ...extent, rows: 0 };
  return {
    runs: () => compute(addresses, scratch, extent),
    runsOfNothing: () => {
      for (let i = 0; i < 100; i++) compute(addresses, scratch, nothing);
    },
  };
}

function extentOf(columns: number, isOverRows: boolean): Extent {
  return isOverRows ? { rows: Math.ceil(ELEMENTS / columns), columns } : { rows: ELEMENTS, columns: 1 };
}

/** Numbers without order from lo to hi. */
function fill(codes: Codes, lo: number, hi: number): void {
  for (let i = 0; i < codes.length; i++) {
    const fraction = (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
    codes[i] = lo + (hi - lo) * fraction;
  }
}
