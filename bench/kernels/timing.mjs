// Contestants timed in turn in one process: a seeded shuffle each round, medians of times and of each round's ratios. After every turn its
// answers are checked, outside of the time that counts.
//
// A contestant is { contestant, run, check, isAsync }: `run` computes once, `check` throws if the answers are wrong.
import { shuffled, uniforms } from "./data.mjs";

const WARM_MS = 150;
const WARM_RUNS = 3;

/** A contestant is none of this runtime's: not worth a line. */
export class ElsewhereError extends Error {}

/**
 * Opens contestants, `[name, open]` each. One that this runtime does not have or run is left out, and why is added to `missing`.
 * @returns what their `open` resolved to, with the name
 */
export async function opened(entries, missing) {
  const contestants = [];
  for (const [contestant, open] of entries) {
    try {
      const one = await open();
      await one.run();
      contestants.push({ contestant, ...one });
    } catch (error) {
      const why = String(error.message ?? error).split("\n")[0];
      missing.push({ contestant, why, isElsewhere: error instanceof ElsewhereError });
    }
  }
  return contestants;
}

/**
 * Milliseconds of one run of each contestant, by name, one number for each round.
 * @param leastMs how long a turn lasts at least: it runs as often as that needs
 * @param warmMs how long a contestant runs beforehand: larger modules are compiled well later
 */
export async function race(contestants, { rounds, leastMs, warmMs = WARM_MS }) {
  const prepared = [];
  for (const contestant of contestants) prepared.push(await prepare(contestant, leastMs, warmMs));
  const next = uniforms(9);
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, repeats, times } of shuffled(prepared, next)) {
      times.push(await turn(contestant, repeats));
      contestant.check();
    }
  }
  return Object.fromEntries(prepared.map(({ contestant, times }) => [contestant.contestant, times]));
}

/** Runs until the engine has compiled it well, and finds how often it runs in a turn. */
async function prepare(contestant, leastMs, warmMs) {
  const start = performance.now();
  let runs = 0;
  for (; runs < WARM_RUNS || performance.now() - start < warmMs; runs++) await contestant.run();
  const repeats = Math.max(1, Math.ceil((leastMs * runs) / (performance.now() - start)));
  contestant.check();
  return { contestant, repeats, times: [] };
}

async function turn({ run, isAsync = false }, repeats) {
  // What others left in the caches; a run that fills a turn alone finds nothing of its own there.
  if (repeats > 1) await run();
  const start = performance.now();
  if (isAsync) for (let i = 0; i < repeats; i++) await run();
  else for (let i = 0; i < repeats; i++) run();
  return (performance.now() - start) / repeats;
}

/**
 * Chains become kernels, without the cost of a call; the faster of some contestants in each round is added.
 * @param contestants those that are {contestant, chainOf, length}: chains of `length`, beside a chain of one
 */
export function withDerived(times, contestants, fastest = {}) {
  const result = { ...times };
  for (const { contestant, chainOf, length } of contestants) {
    if (chainOf === undefined || !(contestant in times)) continue;
    if (chainOf in times)
      result[contestant] = result[contestant].map((ms, round) => (ms - times[chainOf][round]) / (length - 1));
    else delete result[contestant];
  }
  for (const [name, among] of Object.entries(fastest)) {
    const present = among.filter((one) => one in times);
    if (present.length === 0) continue;
    result[name] = times[present[0]].map((_, round) => Math.min(...present.map((one) => times[one][round])));
  }
  return result;
}

/**
 * A row for each contestant: nanoseconds per value, and its time over that of each reference, medians of all rounds.
 * @param references names of contestants to state ratios over; those that are missing are passed over
 */
export function rowsOf(times, values, references) {
  const known = references.filter((reference) => reference in times);
  return Object.entries(times).map(([contestant, own]) => ({
    contestant,
    nanoseconds: (median(own) * 1e6) / values,
    over: Object.fromEntries(
      known.map((reference) => [reference, median(own.map((ms, round) => ms / times[reference][round]))]),
    ),
  }));
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
