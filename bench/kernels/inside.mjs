// Runs races in the runtime that loads this file, a page or Node alike. A race is plain data, made by races.mjs: its inputs, its contestants
// and what they must answer.
import { openArena } from "./arena.mjs";
import { KINDS } from "./contestants.mjs";
import { checkedPlaces, inputOf } from "./data.mjs";
import { opened, race, rowsOf, withDerived } from "./timing.mjs";

/**
 * @param given {kernels, races}
 * @param peers the runtimes that are here: {onnxNode?, onnxWeb?, tensorflow?}
 * @param log takes one line for each race
 * @returns { rows, missing }: missing contestants with the reason
 */
export async function runRaces({ kernels, races }, peers, log) {
  const rows = [];
  const missing = [];
  for (const one of races) {
    const start = performance.now();
    const lacking = [];
    rows.push(...(await runRace(one, { kernels, peers }, lacking)));
    missing.push(...lacking.map((contestant) => ({ race: one.race, dims: one.dims, ...contestant })));
    log(`${one.race}, ${one.dims.join("x")}: ${Math.round(performance.now() - start)} ms`);
  }
  return { rows, missing };
}

async function runRace(given, shared, missing) {
  const { race: name, inputs, dims, contestants, expected, references, fastest = {} } = given;
  const data = Object.fromEntries(Object.entries(inputs).map(([input, how]) => [input, inputOf(how, dims)]));
  const arenas = Object.fromEntries(Object.entries(data).map(([input, x]) => [input, openArena(x)]));
  const entries = contestants.map(({ kind, contestant, input = "x", expect = "y", ...how }) => {
    const open = async () => {
      const { answers, ...one } = await KINDS[kind](how, data[input], { ...shared, dims, arena: arenas[input] });
      return { ...one, check: () => check(contestant, answers(), expected[expect], how.tolerance) };
    };
    return [contestant, open];
  });
  const present = await opened(entries, missing);
  const times = withDerived(await race(present, given), contestants, fastest);
  for (const { close } of present) await close?.();
  const values = dims.reduce((product, extent) => product * extent, 1);
  const notes = Object.fromEntries(present.map(({ contestant, note }) => [contestant, note]));
  return rowsOf(times, values, references).map((row) => ({ race: name, dims, form: notes[row.contestant], ...row }));
}

/**
 * Answers at the checked places; of floats the error may be relative where they are above 1. They are spoilt afterwards: contestants share an
 * array, and each must write its own.
 * @throws Error if one is further from what is expected than it may be
 */
function check(contestant, answers, expected, tolerance) {
  const isFloat = answers instanceof Float32Array;
  for (const [i, place] of checkedPlaces(answers.length).entries()) {
    const [found, wanted] = [answers[place], expected[i]];
    answers[place] = isFloat ? Number.NaN : found ^ 0x7f;
    const size = isFloat ? Math.max(1, Math.abs(wanted)) : 1;
    if (found === wanted || Math.abs(found - wanted) <= tolerance * size) continue;
    throw new Error(`${contestant} answers ${found} at ${place}, not ${wanted}`);
  }
}
