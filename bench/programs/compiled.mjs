// Models compiled to programs, and sessions over both: what the benches of programs start from. By the library's own functions: what a bench
// measures afterwards it reads from the file that a user would get.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { batches, compileProgram, fitDataset, loadDataset, parseDescription, programFile, readModel } from "lutra";
import { openSession } from "lutra/onnxruntime";
import { openProgram } from "lutra/run";
import * as ort from "onnxruntime-node";

/**
 * @param modelPath of an ONNX file
 * @param dataPath of a dataset description whose inputs need no tokenizer
 * @param options of compileProgram
 * @returns { bytes, result, dataset, onnx }: the program's file, what compiling said, the dataset fitted to the model, and an open session of it
 */
export async function compiled(modelPath, dataPath, options = {}) {
  const model = readFileSync(modelPath);
  const given = await readDataset(dataPath);
  const tools = {
    openSession: (bytes) => openSession(ort, bytes),
    openProgram: async (program) => openProgram(program),
    now: () => performance.now(),
  };
  const result = await compileProgram(readModel(model), given, options, tools);
  const onnx = await openSession(ort, model);
  return { bytes: programFile(result.program), result, dataset: fitDataset(given, onnx.inputs), onnx };
}

/** A sample of usual length: those of the report come by their length, if they differ in it, and this is the one in the middle. */
export function middleSample(dataset) {
  const samples = [...batches(dataset, "report", { size: 1, pad: false })];
  return samples[samples.length >> 1];
}

async function readDataset(path) {
  const readFile = async (file) => readFileSync(resolve(dirname(path), file));
  return loadDataset(parseDescription(readFileSync(path), path), readFile);
}
