// What can be measured on a dataset: an ONNX model in onnxruntime, a program in the engine of WebAssembly that runs here.

import { type Control, type Dataset, fitDataset, type Score, type Session, type Split, score } from "lutra";
import { openSession } from "lutra/onnxruntime";
import { type LoadedProgram, load } from "lutra/run";
import { readBytes } from "./files.ts";
import { inFile, loadRuntime, readModelFile } from "./model-file.ts";
import { isProgram } from "./model-kind.ts";
import { programSession } from "./program-session.ts";

interface Opened {
  readonly session: Session;
  readonly fit: (dataset: Dataset) => Dataset;
}

/** @throws LutraError "io", "bad-model", "mismatch" and whatever `score` throws, naming the file */
export async function scoreModel(file: string, dataset: Dataset, split: Split, control: Control): Promise<Score> {
  const { session, fit } = isProgram(file) ? await openedProgram(file) : await openedModel(file);
  try {
    return await inFile(file, () => score(session, fit(dataset), split, control, { stage: `score ${file}` }));
  } finally {
    await session.release();
  }
}

async function openedModel(file: string): Promise<Opened> {
  // The library says what is wrong with a damaged model more clearly than the runtime does.
  await readModelFile(file);
  const session = await openSession(await loadRuntime(), file);
  return { session, fit: (dataset) => fitDataset(dataset, session.inputs) };
}

async function openedProgram(file: string): Promise<Opened> {
  const bytes = await readBytes(file);
  const program = await inFile(file, () => load(bytes));
  return { session: programSession(program), fit: (dataset) => fitDataset(dataset, declaredBy(program, dataset)) };
}

/** What a program says of its inputs. It leaves out those of the dataset that it does not have: the model may not have used them. */
function declaredBy({ inputs }: LoadedProgram, dataset: Dataset): Parameters<typeof fitDataset>[1] {
  const further = Object.keys(dataset.parts.all.samples.inputs).map((name) => [name, { type: null, shape: null }]);
  const own = Object.entries(inputs).map(([name, { shape, quantization }]) => [
    name,
    {
      type: quantization === null ? null : "float32",
      shape: shape.map((size) => (typeof size === "number" ? size : null)),
    },
  ]);
  return Object.fromEntries([...further, ...own]);
}
