// Runs races in the runtime that loads this file, a page or Node alike. A race is plain data, made by races.mjs; models, inputs and answers are
// files beside it.
import { median, opened, race, withDerived } from "../kernels/timing.mjs";
import { distance, tensorsOf } from "./arrays.mjs";
import { KINDS } from "./contestants.mjs";

/**
 * @param races as races.mjs makes them
 * @param peers the runtimes that are here: {onnxNode?, onnxWeb?}
 * @param read the bytes of a file of the races, as a Uint8Array over an ArrayBuffer of its own
 * @param log takes one line for each race
 * @returns { rows, missing }: missing contestants with the reason
 */
export async function runRaces(races, peers, read, log) {
  const rows = [];
  const missing = [];
  for (const one of races) {
    const start = performance.now();
    const lacking = [];
    rows.push(...(await runRace(one, { peers, read }, lacking)));
    missing.push(...lacking.map((contestant) => ({ race: one.race, ...contestant })));
    log(`${one.race}: ${Math.round(performance.now() - start)} ms`);
  }
  return { rows, missing };
}

async function runRace(given, shared, missing) {
  const { race: name, contestants, references, float } = given;
  const reference = await tensorsOf(float, shared.read);
  const errors = {};
  const entries = contestants.map(({ kind, contestant, ...how }) => {
    const open = async () => {
      const { answers, ...one } = await KINDS[kind](how, shared);
      const expected = await tensorsOf(how.expected, shared.read);
      const check = () => {
        const found = answers();
        hold(contestant, found, expected, how.tolerance);
        if (how.isFloat) errors[contestant] = largestDistance(found, reference);
      };
      return { ...one, check };
    };
    return [contestant, open];
  });
  const present = await opened(entries, missing);
  const times = withDerived(await race(present, given), contestants);
  return present
    .filter(({ contestant }) => contestant in times)
    .map(({ contestant, note }) => ({
      ...{ race: name, contestant, form: note, milliseconds: median(times[contestant]) },
      ...{ least: Math.min(...times[contestant]), error: errors[contestant] },
      over: ratios(times[contestant], references, times),
    }));
}

/** Medians of each round's ratio, by reference; those that are missing are passed over. */
function ratios(own, references, times) {
  const known = references.filter((reference) => reference in times);
  const over = (reference) => median(own.map((ms, round) => ms / times[reference][round]));
  return Object.fromEntries(known.map((reference) => [reference, over(reference)]));
}

/** @throws Error if an answer is further from what is expected than it may be; a tolerance of 0 means the same bits */
function hold(contestant, found, expected, tolerance) {
  for (const [name, { data }] of Object.entries(expected)) {
    if (found[name] === undefined) throw new Error(`${contestant} does not answer ${name}`);
    const error = distance(found[name], data);
    if (!(error <= tolerance)) throw new Error(`${contestant} is ${error} from ${name}, not within ${tolerance}`);
  }
}

function largestDistance(found, reference) {
  return Math.max(...Object.entries(reference).map(([name, { data }]) => distance(found[name], data)));
}
