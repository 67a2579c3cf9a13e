// The races, as plain data that any runtime can run: who computes what on which inputs, and what the answers should be. Here those of binary32,
// of one call, of threads and of the paper's tables.
import { loop, lutra, onnxruntime, tensorflow } from "./entrants.mjs";
import { elementwiseExpected } from "./expected.mjs";
import { FINE_FUNCTIONS, makeKernels, PAPER, SEARCHED } from "./questions.mjs";
import { rowRaces } from "./row-races.mjs";

const TURNS = { rounds: 15, leastMs: 2 };
const SMALL = { dims: [65_536], ...TURNS };
const LARGE = { dims: [5_000_192], rounds: 15, leastMs: 1 };
const ONE_CALL = { dims: [64], ...TURNS };
const SPREAD = 1.5;
const THREADS = 4;
const BELL = { lane: "f32", spread: SPREAD };
const NEGATIVE = { ...BELL, isNegative: true };
/** Beyond the range that a table was made for, its last line goes on. */
const FAR_FROM_RANGE = 0.1;

const TENSORFLOW = ["tanh", "sigmoid", "exp", "erf"];
const LOOPS = ["gelu", "tanh", "sigmoid", "exp", "silu"];

/** @returns { kernels, races }: kernels by the names that races use */
export function makeRaces() {
  const made = makeKernels();
  const kernels = Object.fromEntries(Object.entries(made).map(([name, { kernel }]) => [name, kernel]));
  const errorOf = (name) => made[name].error;
  const races = [
    ...[SMALL, LARGE].map((size) => geluRace(size, errorOf)),
    ...FINE_FUNCTIONS.flatMap((fn) => [SMALL, LARGE].map((size) => functionRace(fn, size, errorOf))),
    ...rowRaces(TURNS, errorOf),
    callRace(errorOf),
    threadsRace(errorOf),
    ...Object.keys(PAPER.ranges).map((fn) => segmentsRace(fn)),
    searchRace(),
  ];
  return { kernels, races };
}

// f32 -----------------------------------------------------------------------------------------------------------------

function geluRace(size, errorOf) {
  const x = BELL;
  return {
    ...{ race: "gelu", ...size, inputs: { x } },
    references: ["lutra, within 1e-4", "lutra, within 1e-6"],
    fastest: { "the faster copy": ["memory.copy", "v128 copy loop"] },
    expected: elementwiseExpected("gelu", x, size.dims),
    contestants: [
      lutra("lutra, within 1e-4", "gelu-coarse", errorOf("gelu-coarse")),
      lutra("lutra, within 1e-6", "gelu-fine", errorOf("gelu-fine")),
      { kind: "copy", contestant: "memory.copy", expect: "x" },
      { kind: "loop", contestant: "v128 copy loop", expect: "x" },
      { ...lutra("algorithm 1, scalar, 4096 segments", "gelu-uniform-4096", FAR_FROM_RANGE), form: "scalar" },
      lutra("i-GELU in binary32", "i-gelu", errorOf("i-gelu")),
      loop("gelu"),
      ...onnxruntime("gelu", size.dims).filter(isWorthWhile(size)),
    ],
  };
}

/** Chains of 5 million values would only fill onnxruntime-web's memory: its figures are of whole calls. */
function isWorthWhile(size) {
  return ({ kind, chainOf }) => size === SMALL || kind !== "onnxruntime-web" || chainOf === undefined;
}

/** A function within 1e-6 beside GELU within 1e-4 on the same inputs. */
function functionRace(fn, size, errorOf) {
  const x = fn === "exp" ? NEGATIVE : BELL;
  const { y, chain: chained } = elementwiseExpected(fn, x, size.dims);
  return {
    ...{ race: `${fn} within 1e-6`, ...size, inputs: { x } },
    references: ["lutra, within 1e-6", "lutra, GELU within 1e-4"],
    expected: { y, chain: chained, gelu: elementwiseExpected("gelu", x, size.dims).y },
    contestants: [
      lutra("lutra, within 1e-6", `${fn}-fine`, errorOf(`${fn}-fine`)),
      { ...lutra("lutra, GELU within 1e-4", "gelu-coarse", errorOf("gelu-coarse")), expect: "gelu" },
      ...onnxruntime(fn, size.dims).filter(isWorthWhile(size)),
      ...(size === SMALL && LOOPS.includes(fn) ? [loop(fn)] : []),
      ...(size === SMALL && TENSORFLOW.includes(fn) ? [tensorflow(fn)] : []),
    ],
  };
}

function callRace(errorOf) {
  const { dims } = ONE_CALL;
  const x = BELL;
  return {
    ...{ race: "one call", ...ONE_CALL, inputs: { x }, references: ["lutra, arrays in its memory"] },
    expected: elementwiseExpected("gelu", x, dims),
    contestants: [
      lutra("lutra, arrays in its memory", "gelu-coarse", errorOf("gelu-coarse")),
      { ...lutra("lutra, the caller's arrays", "gelu-coarse", errorOf("gelu-coarse")), kind: "lutra-outside" },
      loop("gelu"),
      ...onnxruntime("gelu", dims).filter(({ chainOf }) => chainOf === undefined),
    ],
  };
}

/** All contestants by themselves, so that a round waits for nobody's threads but its own. */
function threadsRace(errorOf) {
  const how = lutra("lutra", "gelu-coarse", errorOf("gelu-coarse"));
  return {
    ...{ race: "threads", ...LARGE, inputs: { x: BELL }, references: [`lutra, ${THREADS} threads`] },
    expected: elementwiseExpected("gelu", BELL, LARGE.dims),
    contestants: [
      { ...how, contestant: `lutra, ${THREADS} threads`, kind: "lutra-threads", threads: THREADS },
      { ...how, contestant: "lutra, 1 thread" },
      { kind: "copy-threads", contestant: `memory.copy, ${THREADS} threads`, expect: "x", threads: THREADS },
      { kind: "copy", contestant: "memory.copy, 1 thread", expect: "x" },
    ],
  };
}

// the paper's tables --------------------------------------------------------------------------------------------------

/** Table 3: the time does not depend on the number of segments. */
function segmentsRace(fn) {
  const x = fn === "exp" ? NEGATIVE : BELL;
  const named = (segments, form) => ({
    ...lutra(`${segments} segments, ${form}`, `${fn}-uniform-${segments}`, FAR_FROM_RANGE),
    form,
  });
  return {
    ...{ race: `${fn}, segments`, ...SMALL, inputs: { x } },
    references: ["scalar", "simd"].map((form) => `${PAPER.segments[0]} segments, ${form}`),
    expected: elementwiseExpected(fn, x, SMALL.dims),
    contestants: [...["scalar", "simd"].flatMap((form) => PAPER.segments.map((n) => named(n, form))), loop(fn)],
  };
}

/** Table 12: algorithm 1 against a binary search among as many segments. */
function searchRace() {
  return {
    ...{ race: "binary search", ...SMALL, inputs: { x: BELL }, references: ["algorithm 1, 4096 segments"] },
    expected: elementwiseExpected("gelu", BELL, SMALL.dims),
    contestants: [
      { ...lutra("algorithm 1, 4096 segments", "gelu-uniform-4096", FAR_FROM_RANGE), form: "scalar" },
      ...SEARCHED.map((segments) => ({
        ...lutra(`binary search, ${segments} segments`, `gelu-search-${segments}`, 2 * FAR_FROM_RANGE),
        form: "scalar",
      })),
      loop("gelu"),
    ],
  };
}
