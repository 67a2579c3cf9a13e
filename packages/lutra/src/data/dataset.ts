// A dataset: samples in memory, cut into disjoint splits by a seeded shuffle, and how a particular model wants to be fed with them.
// Plain data; batches.ts cuts the batches.

import { LutraError } from "../base/index.ts";
import { random } from "../num/index.ts";
import type { DatasetDescription, InputSources, Metric, Scores, SplitSizes } from "./description.ts";
import { type ReadFile, sampleReader } from "./files.ts";
import { type DeclaredInputs, type Layouts, layoutsOf } from "./layout.ts";
import { loadSamples, type Samples } from "./samples.ts";
import type { OpenTokenizer } from "./tokenize.ts";

/** "all" is every sample of the dataset, whatever its split; calibration inputs of their own are not among them. */
export type Split = "calibration" | "selection" | "report" | "all";

/** Some of a set of samples, by index, ascending. */
export interface Part {
  readonly samples: Samples;
  readonly indices: Int32Array;
}

export interface Dataset {
  readonly name: string;
  /** The output to score; the model's only output if null. */
  readonly output: string | null;
  readonly scores: Scores;
  /** Recurrent state: the output that each of these inputs takes from the sample before. Such samples run one at a time, in order. */
  readonly carries: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
  readonly parts: Readonly<Record<Split, Part>>;
  /** How the model takes each input; null until `fitDataset` has compared the dataset with a model. */
  readonly layouts: Layouts | null;
}

/**
 * Reads a described dataset. Calibration, selection and report are disjoint: a seeded shuffle, then in this order.
 * @param readFile resolves the description's paths against the description's own folder
 * @param openTokenizer for texts; "lutra/tokenizers" makes one
 * @throws LutraError "bad-data" or "io", naming file and place; "unsupported" if texts need a tokenizer and there is none
 */
export async function loadDataset(
  description: DatasetDescription,
  readFile: ReadFile,
  openTokenizer: OpenTokenizer | null = null,
): Promise<Dataset> {
  const read = sampleReader(readFile);
  const samples = await loadSamples(description.inputs, description.target, read, openTokenizer);
  const drawn = drawSplits(description.name, samples, description.splits);
  const own = description.calibration;
  const calibration = own === null ? drawn.calibration : everything(await loadSamples(own, null, read, openTokenizer));
  const { name, output, scores, metrics } = description;
  const carries = carriesOf(description.inputs);
  const parts = { ...drawn, calibration, all: everything(samples) };
  return { name, output, scores, carries, metrics, parts, layouts: null };
}

function carriesOf(inputs: InputSources): Readonly<Record<string, string>> {
  const carried = Object.entries(inputs).flatMap(([name, source]) =>
    source.from === "carry" ? [[name, source.output] as const] : [],
  );
  return Object.fromEntries(carried);
}

/**
 * The dataset as this model takes it. Inputs are matched by name.
 * @throws LutraError "mismatch" if an input is missing, unknown, of another type or of a shape that does not fit
 */
export function fitDataset(dataset: Dataset, declared: DeclaredInputs): Dataset {
  const { calibration, all } = dataset.parts;
  const layouts = layoutsOf(all.samples.inputs, declared);
  // Inputs of their own may have other shapes, but must fit in the same way.
  const others = calibration.samples === all.samples ? layouts : layoutsOf(calibration.samples.inputs, declared);
  for (const [name, { batch }] of Object.entries(others)) {
    if (batch !== layouts[name].batch) {
      throw new LutraError("mismatch", `calibration samples have another rank than the dataset's`, {
        where: `input "${name}"`,
      });
    }
  }
  return { ...dataset, layouts };
}

export function countSamples(dataset: Dataset, split: Split): number {
  return dataset.parts[split].indices.length;
}

function everything(samples: Samples): Part {
  return { samples, indices: Int32Array.from({ length: samples.count }, (_, i) => i) };
}

function drawSplits(
  name: string,
  samples: Samples,
  sizes: SplitSizes,
): Record<"calibration" | "selection" | "report", Part> {
  const { calibration, selection, seed } = sizes;
  const taken = calibration + selection;
  const report = sizes.report ?? Math.max(0, samples.count - taken);
  if (taken + report > samples.count || report === 0) {
    throw new LutraError("bad-data", `the dataset has ${samples.count} samples, too few for its splits`, {
      where: `${name}: splits`,
      note: `calibration ${calibration}, selection ${selection}, report ${sizes.report ?? "the rest, at least 1"}`,
    });
  }
  const order = sizes.shuffle ? shuffled(samples.count, seed) : everything(samples).indices;
  const part = (start: number, count: number): Part => ({ samples, indices: order.slice(start, start + count).sort() });
  return { calibration: part(0, calibration), selection: part(calibration, selection), report: part(taken, report) };
}

/** 0 to count - 1 in random order (Fisher and Yates; Durstenfeld 1964). */
function shuffled(count: number, seed: number): Int32Array {
  const { below } = random(seed);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order;
}
