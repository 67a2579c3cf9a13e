// The races between 8-bit codes, and over rows: Softmax and LayerNorm.
import { decode, exactLayerNorm, exactSoftmax, parseFn } from "lutra";
import { chained, lutra, RUNTIME_ERRORS, tensorflow } from "./entrants.mjs";
import { at, nearestCode, repeated, rowsExpected } from "./expected.mjs";
import { CHAIN, layerNormalization, quantized } from "./models.mjs";
import { EPSILON, SIGMOID_CODES, SOFTMAX_CODES } from "./questions.mjs";

const VALUES = [65_536];
const SHAPES = [
  [512, 128],
  [128, 512],
  [64, 1024],
];
const NORM_SHAPE = [85, 768];

/** @param turns rounds and length of a turn */
export function rowRaces(turns, errorOf) {
  return [codesRace(turns), ...SHAPES.map((dims) => softmaxRace(turns, dims, errorOf)), normRace(turns, errorOf)];
}

function codesRace(turns) {
  const dims = VALUES;
  const x = { lane: "i8" };
  const { input, output } = SIGMOID_CODES;
  const sigmoid = parseFn("sigmoid");
  const answer = (from) => (code) => nearestCode(output, sigmoid.evaluate(decode(from, code)));
  const model = quantized("QLinearSigmoid", "i8", input, output);
  return {
    ...{ race: "int8 sigmoid", ...turns, dims, inputs: { x }, references: ["lutra, exact", "lutra, within 1 LSB"] },
    expected: {
      x: at(x, dims),
      y: at(x, dims).map(answer(input)),
      chain: at(x, dims).map((code) => repeated(answer(output), CHAIN - 1)(answer(input)(code))),
    },
    contestants: [
      lutra("lutra, exact", "sigmoid-exact", 0),
      lutra("lutra, within 1 LSB", "sigmoid-near", 1),
      { kind: "copy", contestant: "memory.copy", expect: "x" },
      // Its own table is off by one code where a value lies between two.
      ...chained("QLinearSigmoid", model, "i8", dims, { y: 1, chain: 2 }),
    ],
  };
}

function softmaxRace(turns, dims, errorOf) {
  const inputs = { x: { lane: "f32", spread: 2 }, codes: { lane: "u8" } };
  const { input, output } = SOFTMAX_CODES;
  const rows = (which, compute) => rowsExpected(inputs[which], dims, compute);
  const ofCodes = (from) => (row) => exactSoftmax(row.map((code) => decode(from, code))).map((p) => p / output.scale);
  return {
    ...{ race: "softmax", ...turns, dims, inputs, references: ["lutra, int8", "lutra, f32"] },
    expected: {
      y: rows("x", exactSoftmax),
      chain: rows("x", repeated(exactSoftmax, CHAIN)),
      codes: rows("codes", ofCodes(input)),
    },
    contestants: [
      { ...lutra("lutra, int8", "softmax-codes", 1), input: "codes", expect: "codes" },
      lutra("lutra, f32", "softmax", errorOf("softmax")),
      ...chained("Softmax", { opType: "Softmax" }, "f32", dims, RUNTIME_ERRORS),
      ...chained(
        "QLinearSoftmax",
        quantized("QLinearSoftmax", "u8", input, output, { axis: -1, opset: 13 }),
        "u8",
        dims,
        // Rounded down; the chain's answers depend on that at every step.
        { y: 1.01, chain: 256 },
      ).map((one) => ({ ...one, input: "codes", expect: "codes" })),
      tensorflow("softmax"),
    ],
  };
}

function normRace(turns, errorOf) {
  const dims = NORM_SHAPE;
  const x = { lane: "f32", spread: 2 };
  const norm = (row) => exactLayerNorm(row, null, null, EPSILON);
  return {
    ...{ race: "layer norm", ...turns, dims, inputs: { x }, references: ["lutra, f32"] },
    expected: { y: rowsExpected(x, dims, norm), chain: rowsExpected(x, dims, repeated(norm, CHAIN)) },
    contestants: [
      { ...lutra("lutra, f32", "layer-norm", errorOf("layer-norm")), constants: { gamma: 1, beta: 0 } },
      ...chained("LayerNormalization", layerNormalization(dims[1], EPSILON), "f32", dims, RUNTIME_ERRORS),
    ],
  };
}
