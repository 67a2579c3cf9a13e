// Encoder layers with random weights, of the sizes of BERT, as ONNX: what an exporter writes for post-norm attention and a GELU by Erf, for any
// batch and length. In two spellings: binary32, and what onnxruntime's dynamic quantization makes of it (int8 weights of one scale per tensor,
// activations quantized anew in each run). For timing, nothing is learnt; equal on every machine.
//
// `node bench/programs/layers.mjs base out/layers` writes base.onnx, base-int8.onnx, and base.json with hidden states for calibration.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bellShaped } from "../kernels/data.mjs";
import { FLOAT, Graph, INT64, seedOf, value } from "./graph.mjs";
import { npy } from "./npy.mjs";

/** By name: the width of a hidden state, that of the feed-forward part, and the number of heads. */
export const LAYERS = {
  base: { width: 768, inner: 3072, heads: 12 },
  small: { width: 512, inner: 2048, heads: 8 },
  tiny: { width: 128, inner: 512, heads: 2 },
};
export const TOKENS = 128;

/** What a position that is masked adds to its logits. */
const MASKED = -10_000;
const CALIBRATION = 8;

/**
 * The layer's bytes: x [batch, sequence, width] to y of that shape.
 * @param size name of LAYERS
 * @param isQuantized whether products with weights are int8, as dynamic quantization spells them
 * @param isMasked whether there is an attention_mask, int64 [batch, sequence] of 0 and 1
 */
export function encoderLayer(size, { isQuantized = false, isMasked = false } = {}) {
  const graph = new Graph(isQuantized);
  const { width, inner } = LAYERS[size];
  const attended = attention(graph, "x", LAYERS[size], isMasked);
  const middle = graph.norm(graph.add("Add", [attended, "x"]), "norm1", width);
  const grown = gelu(graph, graph.linear(middle, "inner", width, inner));
  const output = graph.linear(grown, "output", inner, width);
  graph.norm(graph.add("Add", [output, middle]), "norm2", width);
  const hidden = ["batch", "sequence", width];
  const mask = isMasked ? [value("attention_mask", INT64, hidden.slice(0, 2))] : [];
  return graph.bytes([value("x", FLOAT, hidden), ...mask], [value("y", FLOAT, hidden)]);
}

function attention(graph, x, { width, heads }, isMasked) {
  const depth = width / heads;
  const split = graph.constant("split", BigInt64Array.of(0n, 0n, BigInt(heads), BigInt(depth)), [4]);
  const joined = graph.constant("joined", BigInt64Array.of(0n, 0n, BigInt(width)), [3]);
  const ofHeads = (name, perm) =>
    graph.add("Transpose", [graph.add("Reshape", [graph.linear(x, name, width, width), split])], { perm });
  const [query, key, values] = [
    ofHeads("query", [0, 2, 1, 3]),
    ofHeads("key", [0, 2, 3, 1]),
    ofHeads("value", [0, 2, 1, 3]),
  ];
  const scaled = graph.add("Div", [graph.add("MatMul", [query, key]), graph.number("root", Math.sqrt(depth))]);
  const logits = isMasked ? graph.add("Add", [scaled, maskOf(graph)]) : scaled;
  const context = graph.add("MatMul", [graph.add("Softmax", [logits], { axis: -1 }), values]);
  const rows = graph.add("Reshape", [graph.add("Transpose", [context], { perm: [0, 2, 1, 3] }), joined]);
  return graph.linear(rows, "attended", width, width);
}

/** 0 where the mask is 1, a large negative number where it is 0: [batch, 1, 1, sequence]. */
function maskOf(graph) {
  const axes = graph.constant("axes", BigInt64Array.of(1n, 2n), [2]);
  const real = graph.add("Cast", [graph.add("Unsqueeze", ["attention_mask", axes])], { to: FLOAT });
  const masked = graph.add("Sub", [graph.number("one", 1), real]);
  return graph.add("Mul", [masked, graph.number("masked", MASKED)]);
}

/** x * (1 + erf(x / sqrt 2)) * 0.5 */
function gelu(graph, x) {
  const erf = graph.add("Erf", [graph.add("Div", [x, graph.number("sqrt2", Math.SQRT2)])]);
  const sum = graph.add("Add", [erf, graph.number("one", 1)]);
  return graph.add("Mul", [graph.add("Mul", [x, sum]), graph.number("half", 0.5)]);
}

/** Hidden states as a norm leaves them: [count, TOKENS, width]. */
export function hiddenStates(size, count) {
  return bellShaped(count * TOKENS * LAYERS[size].width, 1, seedOf(`${size} hidden states`));
}

/** Writes SIZE.onnx, SIZE-int8.onnx, SIZE.npy and its description SIZE.json. */
export function writeLayer(size, folder) {
  mkdirSync(folder, { recursive: true });
  const write = (suffix, content) => writeFileSync(join(folder, `${size}${suffix}`), content);
  write(".onnx", encoderLayer(size));
  write("-int8.onnx", encoderLayer(size, { isQuantized: true }));
  write(".npy", npy([CALIBRATION, TOKENS, LAYERS[size].width], hiddenStates(size, CALIBRATION)));
  const inputs = { x: { file: `${size}.npy`, type: "float32" } };
  const splits = { calibration: CALIBRATION / 2, seed: 1 };
  write(".json", `${JSON.stringify({ name: `random hidden states, ${size}`, inputs, splits }, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [size, folder] = process.argv.slice(2);
  if (!(size in LAYERS) || folder === undefined)
    throw new Error(`usage: layers.mjs ${Object.keys(LAYERS).join("|")} FOLDER`);
  writeLayer(size, folder);
}
