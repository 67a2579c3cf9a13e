// Which products a program uses: relaxed dot products are more than twice as fast on engines that have an instruction for them, slower on others,
// and wrong on one. Tried and measured once in a process.

import { LutraError } from "../../base/index.ts";
import { type Family, isProbeExact, productProbe } from "../../target/wasm/index.ts";

/** Of all turns together. */
const LEAST_MS = 3;
/** Where relaxed products are slower by then, and seem not to be compiled again yet. */
const MOST_MS = 8;
/** Calls of one turn. */
const TURN_CALLS = 8;
/** That count, at the end. */
const LEAST_TURNS = 4;
/** A way that takes so much less time than at first was compiled again, better, as engines do with what has run for a while. */
const RECOMPILED = 0.6;
const FAMILIES = ["relaxed", "simd"] as const;

/** Runs the probe in both ways. */
interface Trial {
  run(family: Family): void;
  /** Whether both gave the same when they ran last. */
  isExact(): boolean;
}

/** Undefined until tried, null where relaxed products are missing or wrong. */
let trial: Trial | null | undefined;
let fastest: Family | undefined;

/** The faster of the families that give exact sums here. */
export function chooseFamily(): Family {
  fastest ??= measured();
  return fastest;
}

/** @throws LutraError "unsupported" where relaxed products are missing or wrong */
export function checkFamily(family: Family): void {
  if (family === "simd" || tried() !== null) return;
  throw new LutraError("unsupported", "this engine has no relaxed SIMD, or computes its dot products wrongly", {
    note: 'the form "simd" gives the same bits',
  });
}

function tried(): Trial | null {
  if (trial === undefined) trial = tryRelaxed();
  return trial;
}

function tryRelaxed(): Trial | null {
  const probe = productProbe();
  if (!WebAssembly.validate(probe.bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probe.bytes));
  const { memory, ...functions } = exports as unknown as Record<Family, (...numbers: readonly number[]) => void> & {
    readonly memory: WebAssembly.Memory;
  };
  const run = (family: Family): void => functions[family](...probe.calls[family]);
  const isExact = (): boolean => isProbeExact(probe, memory);
  for (const family of FAMILIES) run(family);
  return isExact() ? { run, isExact } : null;
}

function measured(): Family {
  const found = tried();
  if (found === null) return "simd";
  const turns: Readonly<Record<Family, number[]>> = { relaxed: [], simd: [] };
  const start = performance.now();
  let elapsed = 0;
  do {
    for (const family of FAMILIES) turns[family].push(timeOf(() => found.run(family)));
    elapsed = performance.now() - start;
  } while (elapsed < LEAST_MS || (elapsed < MOST_MS && !isRelaxedFaster(turns) && !isSettled(turns.relaxed)));
  // What comes out of code that was compiled again counts too.
  if (!found.isExact()) trial = null;
  if (trial === null) return "simd";
  // Not compiled again in time, they may still become more than twice as fast as the others; where they stay slower, it is by little.
  return isRelaxedFaster(turns) || !isSettled(turns.relaxed) ? "relaxed" : "simd";
}

function isSettled(turns: readonly number[]): boolean {
  return turns.some((time) => time < RECOMPILED * (turns[0] as number));
}

/** By the last turns: their medians, or their sums where a page's clock is so coarse that most take no time. */
function isRelaxedFaster({ relaxed, simd }: Readonly<Record<Family, readonly number[]>>): boolean {
  const [ours, theirs] = [relaxed, simd].map((turns) =>
    turns.slice(-Math.max(LEAST_TURNS, turns.length >> 2)).sort((a, b) => a - b),
  ) as [number[], number[]];
  const middle = (turns: readonly number[]): number => turns[turns.length >> 1] as number;
  const sum = (turns: readonly number[]): number => turns.reduce((total, time) => total + time, 0);
  const of = middle(ours) > 0 && middle(theirs) > 0 ? middle : sum;
  return of(ours) <= of(theirs);
}

/** Milliseconds of one turn. */
function timeOf(run: () => void): number {
  const start = performance.now();
  for (let i = 0; i < TURN_CALLS; i++) run();
  return performance.now() - start;
}
