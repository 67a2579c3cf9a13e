// The races, as plain data that any runtime can run, and their files: models compiled, inputs, and the answers that everyone must give. What a
// program must answer is what `interpretProgram` says, bit by bit; peers are held to onnxruntime-node's own binary32 answers.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeOutputs, encodeInputs, interpretProgram, programFile } from "lutra";
import { ROOT, shared } from "../lutra.mjs";
import { typeOf } from "./arrays.mjs";
import { compiled, middleSample } from "./compiled.mjs";
import { hiddenStates, LAYERS, TOKENS, writeLayer } from "./layers.mjs";
import { LIMIT, LUTRA, layerName, MODELS, NODE, NODE_INT8, PRODUCT, WEB, WEB_INT8 } from "./names.mjs";
import { CHAIN, PRODUCT_DIMS, productModels } from "./product.mjs";

/** Rounds take turns of at least leastMs each, after warmMs: onnxruntime-web is compiled well only after a second or so. */
const TURNS = { rounds: 21, leastMs: 20, warmMs: 1500 };
/** Distances from the answers of binary32, root mean square over root mean square: of another order of sums, and of int8. */
const FLOAT_ORDER = 1e-5;
const INT8 = 0.03;
/** Hidden states are calibrated on numbers of their own kind: no scheme to search. */
const LAYER_OPTIONS = { ranges: "min-max", migration: 0, attention: "narrow" };

/**
 * @param folder where the files are written
 * @param log takes a line for each model that is compiled
 * @returns the races
 */
export async function makeRaces(folder, log) {
  const races = [];
  for (const size of Object.keys(LAYERS)) {
    log(`compiling the ${size} layer`);
    races.push(await layerRace(size, folder));
  }
  races.push(await productRace(folder));
  for (const one of MODELS) {
    log(`compiling ${one.race}`);
    races.push(await modelRace(one, folder));
  }
  return races;
}

/** An encoder layer of BERT's size on 128 tokens, both forms by name. */
async function layerRace(size, folder) {
  writeLayer(size, folder);
  const [model, data] = [`${size}.onnx`, `${size}.json`].map((file) => join(folder, file));
  const made = await compiled(model, data, LAYER_OPTIONS);
  const inputs = { x: { shape: [1, TOKENS, LAYERS[size].width], data: hiddenStates(size, 1) } };
  const { inFile, codes, numbers, peer } = await prepare(size, made, inputs, folder);
  const float = { ...peer, file: `${size}.onnx`, tolerance: FLOAT_ORDER };
  const quantized = { ...peer, file: `${size}-int8.onnx`, tolerance: INT8 };
  return {
    ...{ race: layerName(size), ...TURNS, float: inFile.float, references: [LUTRA.relaxed, LUTRA.simd] },
    contestants: [
      { ...numbers, contestant: LUTRA.relaxed, form: "relaxed" },
      { ...codes, contestant: LUTRA.relaxedCodes, form: "relaxed" },
      { ...numbers, contestant: LUTRA.simd, form: "simd" },
      { ...codes, contestant: LUTRA.simdCodes, form: "simd" },
      { ...float, kind: "onnxruntime-web", contestant: WEB },
      { ...quantized, kind: "onnxruntime-web", contestant: WEB_INT8 },
      { ...float, kind: "onnxruntime-node", contestant: NODE },
      { ...quantized, kind: "onnxruntime-node", contestant: NODE_INT8 },
    ],
  };
}

/**
 * The integer product of a linear layer: whole calls as the peers' are, and (chain of 9 - chain of 1) / 8 beside as many products in registers
 * alone, which no operand has to be loaded for.
 */
async function productRace(folder) {
  const { programs, models, x, shifted } = productModels();
  for (const [name, model] of Object.entries(models)) writeFileSync(join(folder, `product-${name}.onnx`), model);
  const inputs = save("product.x", { x }, folder);
  const own = Object.entries(programs).map(([name, program]) => {
    const file = `product-${name}.lutra`;
    writeFileSync(join(folder, file), programFile(program));
    const expected = save(`product-${name}`, interpretProgram(program, { x }), folder);
    return [name, { kind: "program-codes", file, inputs, expected, tolerance: 0 }];
  });
  const { sums, one, chain } = Object.fromEntries(own);
  const unsigned = save("product.shifted", { x: shifted }, folder);
  const numbers = save("product.numbers", { x: { ...x, data: Float32Array.from(x.data) } }, folder);
  const { expected } = sums;
  const float = { file: "product-float.onnx", inputs: numbers, expected, tolerance: 0 };
  const integer = { file: "product-int8.onnx", inputs: unsigned, expected, tolerance: 0 };
  const chained = { chainOf: LUTRA.oneProduct, length: CHAIN };
  return {
    ...{ race: PRODUCT, ...TURNS, float: {}, references: [LIMIT, LUTRA.relaxedCodes] },
    contestants: [
      { kind: "dot-limit", contestant: LIMIT, expected: {}, tolerance: 0, ...PRODUCT_DIMS },
      { ...one, contestant: LUTRA.oneProduct, form: "relaxed" },
      { ...chain, contestant: LUTRA.product, form: "relaxed", ...chained },
      { ...sums, contestant: LUTRA.relaxedCodes, form: "relaxed" },
      { ...sums, contestant: LUTRA.simdCodes, form: "simd" },
      { ...float, kind: "onnxruntime-web", contestant: WEB },
      { ...integer, kind: "onnxruntime-web", contestant: WEB_INT8 },
      { ...float, kind: "onnxruntime-node", contestant: NODE },
      { ...integer, kind: "onnxruntime-node", contestant: NODE_INT8 },
    ],
  };
}

/** A whole model on one sample, in the form that it chooses itself. */
async function modelRace({ race, model, data }, folder) {
  const path = shared(`models/${model}`);
  const made = await compiled(path, join(ROOT, "examples", "datasets", data));
  const { inputs } = middleSample(made.dataset);
  const { inFile, codes, numbers, peer } = await prepare(race, made, inputs, folder);
  copyFileSync(path, join(folder, `${race}.onnx`));
  const float = { ...peer, file: `${race}.onnx`, tolerance: FLOAT_ORDER };
  return {
    ...{ race, ...TURNS, float: inFile.float, references: [LUTRA.chosen] },
    contestants: [
      { ...numbers, contestant: LUTRA.chosen },
      { ...codes, contestant: LUTRA.codes },
      { ...float, kind: "onnxruntime-web", contestant: WEB },
      { ...float, kind: "onnxruntime-node", contestant: NODE },
    ],
  };
}

/** Writes a program with its inputs and all answers. @returns parts of contestants: { codes, numbers, peer }, and the files of tensors */
async function prepare(name, { bytes, result, onnx }, inputs, folder) {
  const { program } = result;
  const codesIn = encodeInputs(program, inputs);
  const codesOut = interpretProgram(program, codesIn);
  const inFile = {
    inputs: save(`${name}.x`, inputs, folder),
    codesIn: save(`${name}.codes`, codesIn, folder),
    codesOut: save(`${name}.answer`, codesOut, folder),
    numbersOut: save(`${name}.numbers`, decodeOutputs(program, codesOut), folder),
    float: save(`${name}.float`, await onnx.run(inputs, Object.keys(program.outputs)), folder),
  };
  await onnx.release();
  const file = `${name}.lutra`;
  writeFileSync(join(folder, file), bytes);
  const own = { file, tolerance: 0 };
  return {
    inFile,
    codes: { ...own, kind: "program-codes", inputs: inFile.codesIn, expected: inFile.codesOut },
    numbers: { ...own, kind: "program", inputs: inFile.inputs, expected: inFile.numbersOut, isFloat: true },
    peer: { inputs: inFile.inputs, expected: inFile.float, isFloat: true },
  };
}

/** Writes tensors. @returns {name: {file, type, shape}} */
function save(name, tensors, folder) {
  const entries = Object.entries(tensors).map(([tensor, { shape, data }]) => {
    const file = `${name}.${tensor}`;
    writeFileSync(join(folder, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return [tensor, { file, type: typeOf(data), shape }];
  });
  return Object.fromEntries(entries);
}
