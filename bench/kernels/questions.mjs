// The kernels that are measured, each with the error that is proven of it, and what it should answer. Made by the bench's own process; the
// runtimes that race them get them as JSON.
import {
  BINARY32,
  certify,
  elementwise,
  fill,
  finish,
  holes,
  iGeluFloat,
  layerNorm,
  nextUp32,
  parseFn,
  parseFormat,
  planProblem,
  problemOf,
  softmax,
  softmaxCodes,
  solve,
} from "lutra";

const FINE = 1e-6;
const COARSE = 1e-4;
export const EPSILON = 1e-5;
/** I-BERT's polynomial is this far from GELU (its largest error on [-4, 4)). */
const I_GELU_ERROR = 2e-2;

/**
 * Breakpoints at multiples of a step that is halved where the function bends: upper bits of the input tell the segment. Below 0 where the
 * table has the other half by a reduction, or the function none.
 */
const FINE_TABLES = {
  gelu: { reduce: "reflect", breakpoints: below(steps([2, 2 ** -8], [4, 2 ** -7], [5.25, 2 ** -6])) },
  silu: {
    ...{ reduce: "reflect", range: [-16, 16], tails: "clamp" },
    breakpoints: below(steps([2, 2 ** -8], [4, 2 ** -7], [8, 2 ** -6], [15.875, 2 ** -5])),
  },
  tanh: { reduce: "odd", breakpoints: steps([2, 2 ** -8], [4, 2 ** -7], [7.75, 2 ** -6]) },
  erf: { reduce: "odd", breakpoints: steps([1, 2 ** -9], [2, 2 ** -8], [3.5, 2 ** -7]) },
  sigmoid: { reduce: "complement", breakpoints: below(steps([4, 2 ** -7], [8, 2 ** -6], [15, 2 ** -5])) },
  exp: {
    ...{ reduce: "none", range: [-16, 0] },
    breakpoints: below(steps([1, 2 ** -9], [2, 2 ** -8], [4, 2 ** -7], [8, 2 ** -6], [15.875, 2 ** -5])),
  },
};
export const FINE_FUNCTIONS = Object.keys(FINE_TABLES);

/** Huang et al.'s table 3: its functions, ranges and numbers of segments. */
export const PAPER = {
  ranges: { exp: [-16, 0], tanh: [-4, 4], sigmoid: [-8, 8], gelu: [-5, 3] },
  segments: [64, 256, 1024, 4096],
};
/** And of its table 12. */
export const SEARCHED = [16, 64, 256, 1024, 4096];

/** By name: a filled kernel, and the proven bound of its absolute error (of i-GELU and int8, a measured one). */
export function makeKernels() {
  const fine = FINE_FUNCTIONS.map((fn) => [`${fn}-fine`, () => fineTable(fn)]);
  const uniform = Object.entries(PAPER.ranges).flatMap(([fn, range]) =>
    PAPER.segments.map((segments) => [`${fn}-uniform-${segments}`, () => uniformTable(fn, range, segments)]),
  );
  const searched = SEARCHED.map((segments) => [`gelu-search-${segments}`, () => searchedTable(segments)]);
  const makers = {
    "gelu-coarse": coarseGelu,
    ...Object.fromEntries([...fine, ...uniform, ...searched]),
    "i-gelu": () => ({ kernel: iGeluFloat(), error: I_GELU_ERROR }),
    "sigmoid-exact": sigmoidOfCodes,
    "sigmoid-near": sigmoidByLines,
    "softmax-codes": () => softmaxOfCodes(1024),
    softmax: () => withTables(softmax(1024)),
    "layer-norm": () => withTables(layerNorm({ epsilon: EPSILON, gamma: true, beta: true, maxRow: 768 })),
  };
  return Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make()]));
}

/** Without a reduction, which costs 2 to 8 %; 14 upper bits tell the segment. */
function coarseGelu() {
  const breakpoints = both(steps([2 ** -5, 2 ** -6], [1, 2 ** -5], [3, 2 ** -4], [5, 2 ** -3]));
  return proven({ fn: "gelu", reduce: "none", breakpoints }, "optimal", COARSE);
}

function fineTable(fn) {
  return proven({ fn, ...FINE_TABLES[fn] }, "optimal", FINE);
}

/** Magnitudes in equal steps up to each end. */
function steps(...parts) {
  const magnitudes = [];
  for (const [end, step] of parts) {
    for (let x = (magnitudes.at(-1) ?? 0) + step; x <= end; x += step) magnitudes.push(x);
  }
  return magnitudes;
}

/** Magnitudes from 2^first to 2^last, so many to each power of two. */
function octaves(first, last, count) {
  const each = Array.from({ length: last - first }, (_, octave) =>
    Array.from({ length: count }, (_unused, i) => 2 ** (first + octave) * (1 + i / count)),
  );
  return [...each.flat(), 2 ** last];
}

/** Breakpoints below 0 that part what has these magnitudes from what is closer to 0. */
function below(magnitudes) {
  return magnitudes.map((x) => nextUp32(-x)).reverse();
}

function both(magnitudes) {
  return [...below(magnitudes), ...magnitudes];
}

/** As the paper makes them: chords, the last one beyond the range. */
function uniformTable(fn, range, segments) {
  return proven({ fn, segments, reduce: "none", range, tails: "extend" }, "uniform", Infinity);
}

/**
 * Chords between breakpoints, of which two are neighbours: no even cut of the range parts them, so that the module has to search. Elsewhere
 * lutra finds breakpoints without a search.
 */
function searchedTable(segments) {
  const [from, to] = PAPER.ranges.gelu;
  const even = Array.from({ length: segments - 2 }, (_, i) => from + ((to - from) * (i + 1)) / (segments - 1));
  const codes = [...even, nextUp32(Math.fround(even[0]))].map(Math.fround).sort((a, b) => a - b);
  const gelu = parseFn("gelu");
  const ends = [from, ...codes, to];
  const lines = ends.slice(1).map((end, i) => chord(gelu, ends[i], end));
  const spec = { fn: "gelu", domain: { lo: -Infinity, hi: Infinity }, input: BINARY32, output: BINARY32 };
  const table = {
    ...{ spec, reductions: [], clamp: [-Infinity, Infinity], shift: 0, rounding: "half-even" },
    index: { rule: "breakpoints", codes },
    coefficients: [lines.map(({ intercept }) => intercept), lines.map(({ slope }) => slope)],
  };
  return { kernel: fill(elementwise(spec), { f: table }), error: Infinity };
}

/** The line through the function's values at both ends. */
function chord(fn, from, to) {
  const slope = Math.fround((fn.evaluate(to) - fn.evaluate(from)) / (to - from));
  return { slope, intercept: Math.fround(fn.evaluate(from) - slope * from) };
}

/** @throws Error if the certificate is above the limit */
function proven(question, method, limit, parameters = {}) {
  const table = solved(problemOf({ norm: "max", ...question }), method, parameters);
  const kernel = fill(elementwise(table.spec), { f: table });
  if (limit === Infinity) return { kernel, error: Infinity };
  const { upper } = finish(certify(kernel)).absolute;
  if (!(upper <= limit)) throw new Error(`the table of ${question.fn} is proven within ${upper}, not ${limit}`);
  return { kernel, error: upper };
}

/** The formats that onnxruntime's QLinearSigmoid is given. */
export const SIGMOID_CODES = { input: parseFormat("int8:0.03125:0"), output: parseFormat("int8:0.00390625:-128") };

/** Codes in and probabilities out, as onnxruntime's QLinearSoftmax takes and gives them. */
export const SOFTMAX_CODES = { input: parseFormat("uint8:0.0625:128"), output: parseFormat("u8.8") };

function sigmoidOfCodes() {
  const table = allCodes({ fn: "sigmoid", ...SIGMOID_CODES });
  return { kernel: fill(elementwise(table.spec), { f: table }), error: 0 };
}

/** 16 lines, which a module computes in registers: proven within 1 code of the rounded answer, so within 1.5 of the answer. */
function sigmoidByLines() {
  const question = { fn: "sigmoid", ...SIGMOID_CODES, segments: 16 };
  const { kernel } = proven(question, "uniform", 1.5 * SIGMOID_CODES.output.scale, { lines: "whole" });
  return { kernel, error: 1 };
}

/** Its answers are within a code of the exact ones: half of one is their rounding. */
function softmaxOfCodes(maxRow) {
  const kernel = softmaxCodes({ input: SOFTMAX_CODES.input, maxRow });
  const tables = holes(kernel).map(({ hole, spec }) => [hole, allCodes(spec)]);
  return { kernel: fill(kernel, Object.fromEntries(tables)), error: 1 };
}

/** The table of the rounded answer to each code. */
function allCodes({ fn, input, output }) {
  const segments = 2 ** input.bits;
  return solved(problemOf({ fn, input, output, segments, norm: "max" }), "direct");
}

/** Exp by upper bits: 64 lines for each octave, which a first-level cache holds, and 0 for what is far below a row's maximum. */
const ROW_EXP = { fn: "exp", reduce: "none", breakpoints: below(octaves(-7, 4, 64)), tails: "auto", norm: "max" };

function withTables(kernel) {
  const tables = holes(kernel).map(({ hole, spec }) => {
    if (hole !== "exp") return [hole, solved(planProblem(spec, { segments: 64, norm: "max" }), "uniform")];
    return [hole, solved({ ...problemOf(ROW_EXP), spec }, "optimal")];
  });
  const filled = fill(kernel, Object.fromEntries(tables));
  return { kernel: filled, error: finish(certify(filled)).absolute.upper };
}

function solved(problem, method, parameters = {}) {
  return finish(solve(problem, method, { seed: 1, parameters })).table;
}
