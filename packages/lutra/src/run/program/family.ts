// Which products a program uses: relaxed dot products are more than twice as fast on engines that have an instruction for them, slower on others,
// and wrong on one. Tried and measured once in a process.

import { LutraError } from "../../base/index.ts";
import { type Family, isProbeExact, productProbe } from "../../target/wasm/index.ts";

/** Of all turns together, at most. */
const BUDGET_MS = 8;
/** Calls of one turn: clocks of pages are coarse. */
const TURN_CALLS = 8;
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
  const turn = (family: Family): number => timeOf(() => found.run(family));
  const first: Readonly<Record<Family, number>> = { relaxed: turn("relaxed"), simd: turn("simd") };
  const best: Record<Family, number> = { ...first };
  const isSettled = (family: Family): boolean => best[family] < RECOMPILED * first[family];
  const end = performance.now() + BUDGET_MS;
  do {
    for (const family of FAMILIES) best[family] = Math.min(best[family], turn(family));
  } while (!FAMILIES.every(isSettled) && performance.now() < end);
  // What comes out of code that was compiled again counts too.
  if (!found.isExact()) trial = null;
  if (trial === null) return "simd";
  // Where only one was compiled again in time, the others' first times say more.
  const times = isSettled("relaxed") === isSettled("simd") ? best : first;
  return times.relaxed <= times.simd ? "relaxed" : "simd";
}

/** Milliseconds of one turn. */
function timeOf(run: () => void): number {
  const start = performance.now();
  for (let i = 0; i < TURN_CALLS; i++) run();
  return performance.now() - start;
}
