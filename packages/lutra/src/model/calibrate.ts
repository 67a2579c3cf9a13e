// Calibration: runs the model over the calibration split with every layer's input as a further output, and records what the layers and
// the holes of their kernels see. Memory is bounded by one batch and a histogram per hole; work by a limit of values per layer.

import { type Control, checkCancelled, LutraError, type Session, type Tensor } from "../base/index.ts";
import { type Batch, batches, countSamples, type Dataset } from "../data/index.ts";
import { parseFn } from "../fn/index.ts";
import { ideal, type Kernel } from "../kernel/index.ts";
import { type Histogram, type HistogramRecorder, histogramRecorder } from "../num/index.ts";
import { concatenate, exposeValues, type Model, type Site, writeModel } from "../onnx/index.ts";
import { carrying } from "./carry.ts";
import { sampleRows } from "./rows.ts";

/** What one layer saw. Only finite values are counted. */
export interface SiteCalibration {
  /** The layer's data input. */
  readonly input: Histogram;
  /** The argument of each hole of its kernel, computed exactly from the layer's input; a hole that saw nothing finite is left out. */
  readonly holes: Readonly<Record<string, Histogram>>;
  /** Most elements of a row, for functions of a row; of the last axis otherwise. */
  readonly longestRow: number;
}

/** By site id; sites in bodies and functions are not in it, nor those of codes, whose inputs are all known. */
export type Calibration = Readonly<Record<string, SiteCalibration>>;

export interface CalibrationOptions {
  /** Samples per run, where the model takes batches. */
  readonly batchSize?: number;
  /** Beyond so many values of a layer, evenly spaced rows are taken. */
  readonly maxValuesPerSite?: number;
}

const BATCH_SIZE = 16;
/** A histogram of 2^20 values knows each share to 0.1 %; more would not move a table. */
const MAX_VALUES_PER_SITE: number = 2 ** 20;

/**
 * What every site of the main graph sees on the dataset's calibration split; a value inside a body or a function cannot be an output, and
 * a site of codes has no need.
 * @param kernels the layer of each site, by site id; filled or not
 * @param dataset fitted to the model (`fitDataset`)
 * @param openSession opens a session of an ONNX file's bytes; it is released here
 * @throws LutraError "bad-data" if there are no calibration samples, or if an input is NaN or infinite (with site and sample; -Infinity is
 *   allowed into Softmax, where it masks); "cancelled"
 */
export async function calibrate(
  model: Model,
  sites: readonly Site[],
  kernels: Readonly<Record<string, Kernel>>,
  dataset: Dataset,
  openSession: (bytes: Uint8Array) => Promise<Session>,
  control: Control = {},
  options: CalibrationOptions = {},
): Promise<Calibration> {
  const { batchSize = BATCH_SIZE, maxValuesPerSite = MAX_VALUES_PER_SITE } = options;
  const total = countSamples(dataset, "calibration");
  if (total === 0) {
    throw new LutraError("bad-data", `"${dataset.name}" has no calibration samples`, {
      note: 'set "splits": {"calibration": ...}, or give calibration inputs of their own',
    });
  }
  const visible = sites.filter(({ scope, formats }) => scope === undefined && formats === undefined);
  if (visible.length === 0) return {};
  const recorders = visible.map((site) => recordSite(site, kernels[site.id]));
  const inputs = new Set(model.graph.input.map(({ name }) => name));
  const values = [...new Set(visible.map((site) => site.inputs[0]))].filter((name) => !inputs.has(name));
  const session = await openSession(concatenate(writeModel(exposeValues(model, values))));
  try {
    const run = carrying(session, dataset);
    let done = 0;
    // Padding is not data: only samples of one length share a batch.
    for (const batch of batches(dataset, "calibration", { size: batchSize, pad: false })) {
      checkCancelled(control);
      control.onProgress?.({ stage: "calibrate", done, total });
      const tensors = { ...batch.inputs, ...(await run(batch.inputs, values)) };
      const budget = (maxValuesPerSite * batch.samples.length) / total;
      for (const recorder of recorders) recorder.add(tensors[recorder.site.inputs[0]], batch, budget);
      done += batch.samples.length;
    }
    control.onProgress?.({ stage: "calibrate", done, total });
  } finally {
    await session.release();
  }
  return Object.fromEntries(recorders.map((recorder) => [recorder.site.id, recorder.finish()]));
}

interface SiteRecorder {
  readonly site: Site;
  /** Records about `maxValues` values of the site's input in one batch. */
  add(input: Tensor, batch: Batch, maxValues: number): void;
  finish(): SiteCalibration;
}

function recordSite(site: Site, kernel: Kernel): SiteRecorder {
  const where = `layer ${site.id} (${site.kind})`;
  const input = histogramRecorder();
  const holes = new Map<string, HistogramRecorder>();
  const observe = (hole: string, values: Float64Array): void => {
    const recorder = holes.get(hole) ?? histogramRecorder();
    holes.set(hole, recorder);
    recorder.add(values);
  };
  const { upToLastHole, lastHole, dataParam } = cutAtLastHole(kernel);
  let longestRow = 0;
  return {
    site,
    add(tensor, batch, maxValues) {
      checkFinite(tensor, batch, site, where);
      const { rows, columns, data } = sampleRows(tensor, site.axes, maxValues, where);
      longestRow = Math.max(longestRow, columns);
      input.add(data);
      const [argument] = ideal(
        upToLastHole,
        (fn) => parseFn(fn).evaluate,
        { [dataParam]: data },
        rows,
        columns,
        observe,
      );
      observe(lastHole, argument);
    },
    finish: () => ({ input: histogramOf(input, where), holes: histogramsOf(holes), longestRow }),
  };
}

/**
 * The kernel up to its last hole, with that hole's argument as the result: what follows (gamma and beta among it) no hole sees, and what
 * the last hole answers nobody asks.
 */
function cutAtLastHole(kernel: Kernel): {
  readonly upToLastHole: Kernel;
  readonly lastHole: string;
  readonly dataParam: string;
} {
  const end = kernel.values.findLastIndex(({ op }) => op === "lookup");
  const last = kernel.values[end];
  const data = kernel.values.find(({ op }) => op === "param");
  if (last?.op !== "lookup" || data?.op !== "param") throw new TypeError("a layer's kernel needs a param and a hole");
  const upToLastHole = { ...kernel, values: kernel.values.slice(0, end), results: [last.args[0]] };
  return { upToLastHole, lastHole: last.hole, dataParam: data.name };
}

/** Kinds in which -Infinity is a mask. */
const MASKED_KINDS: readonly string[] = ["softmax", "log-softmax"];

function checkFinite({ data }: Tensor, { samples }: Batch, site: Site, where: string): void {
  const mayMask = MASKED_KINDS.includes(site.kind);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (Number.isFinite(value) || (mayMask && value === -Infinity)) continue;
    // Samples are outermost in every layer's input, whatever its shape.
    const sample = samples[Math.floor((i * samples.length) / data.length)];
    throw new LutraError("bad-data", `calibration sample ${sample} makes the layer's input ${value}`, { where });
  }
}

function histogramOf(recorder: HistogramRecorder, where: string): Histogram {
  const histogram = recorder.histogram();
  if (histogram === null) throw new LutraError("bad-data", "calibration saw no finite value", { where });
  return histogram;
}

function histogramsOf(holes: ReadonlyMap<string, HistogramRecorder>): Readonly<Record<string, Histogram>> {
  const seen = [...holes].flatMap(([hole, recorder]) => {
    const histogram = recorder.histogram();
    return histogram === null ? [] : [[hole, histogram] as const];
  });
  return Object.fromEntries(seen);
}
