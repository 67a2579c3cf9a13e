// The integer product of a linear layer by itself: as a program whose answer is the sums, as models for the peers, which multiply the same integers
// in int8 or as numbers of binary32 (sums stay below 2^24, so all answers are the same), and as chains of products, whose difference leaves the
// cost of a call out.
import { KernelBuilder, parseFormat } from "lutra";
import { uniforms } from "../kernels/data.mjs";
import { FLOAT, Graph, INT32, UINT8, value } from "./graph.mjs";

export const PRODUCT_DIMS = { m: 128, k: 768, n: 768 };

const MOST_WEIGHT = 63;
const SEED = 7;
const ZERO = 128;
/** Of the sums: what they stand for does not matter. */
const SUMS = parseFormat("s32.0");
const SPEC = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input: SUMS, output: SUMS };
/** Products of the longer chain. */
export const CHAIN = 9;

/**
 * @returns { programs: {sums, one, chain}, models: {float, int8}, x, shifted }: x of int8 codes, [m, k]; models and `sums` answer y, `one` and
 *   `chain` the largest sums of rows. The int8 model takes `shifted`, the same codes as bytes without sign, for which onnxruntime is fast.
 */
export function productModels() {
  const { m, k, n } = PRODUCT_DIMS;
  const next = uniforms(SEED);
  const x = { shape: [m, k], data: new Int8Array(m * k).map(() => Math.floor(256 * next()) - 128) };
  const shifted = { shape: [m, k], data: Uint8Array.from(x.data, (code) => code + ZERO) };
  const w = new Int8Array(k * n).map(() => Math.floor((2 * MOST_WEIGHT + 1) * next()) - MOST_WEIGHT);
  const programs = { sums: productProgram(w), one: productsProgram(w, 1), chain: productsProgram(w, CHAIN) };
  return { programs, models: { float: floatModel(w), int8: int8Model(w) }, x, shifted };
}

/** Of one step, whose answer is the sums. */
function productProgram(w) {
  const { n } = PRODUCT_DIMS;
  const builder = new KernelBuilder();
  const sums = builder.param("sums", "element", "i32");
  return program(w, builder.finish(SPEC, sums), { y: { lane: "i32", shape: ["rows", n] } });
}

/** The same product several times, each answering with the largest sum of each row: as little as a kernel can do with sums. */
function productsProgram(w, count) {
  const builder = new KernelBuilder();
  const largest = builder.reduce("max", builder.param("sums", "element", "i32"));
  const names = Array.from({ length: count }, (_, i) => `y${i}`);
  const type = { lane: "i32", shape: ["rows"] };
  return program(w, builder.finish(SPEC, largest), Object.fromEntries(names.map((name) => [name, type])));
}

function program(w, kernel, results) {
  const { m, k, n } = PRODUCT_DIMS;
  const step = { op: "product", a: "x", b: "w", isTransposed: false, kernel, arguments: {} };
  const names = Object.keys(results);
  return {
    sizes: [{ name: "rows", least: 1, most: m }],
    tensors: { x: { lane: "i8", shape: ["rows", k] }, w: { lane: "i8", shape: [k, n] }, ...results },
    ...{ constants: { w }, inputs: ["x"], outputs: Object.fromEntries(names.map((name) => [name, name])), states: [] },
    blocks: [{ name: "main", steps: names.map((name) => ({ ...step, results: [name] })) }],
  };
}

function floatModel(w) {
  const { m, k, n } = PRODUCT_DIMS;
  const graph = new Graph();
  graph.add("MatMul", ["x", graph.constant("w", Float32Array.from(w), [k, n])]);
  return graph.bytes([value("x", FLOAT, [m, k])], [value("y", FLOAT, [m, n])]);
}

function int8Model(w) {
  const { m, k, n } = PRODUCT_DIMS;
  const graph = new Graph();
  const zeros = [graph.constant("x.zero", Uint8Array.of(ZERO)), graph.constant("w.zero", Int8Array.of(0))];
  graph.add("MatMulInteger", ["x", graph.constant("w", w, [k, n]), ...zeros]);
  return graph.bytes([value("x", UINT8, [m, k])], [value("y", INT32, [m, n])]);
}
