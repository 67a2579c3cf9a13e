// Calibration of a network: the float model runs over the calibration split with what a lowering asks for as further outputs. Ends and histograms
// are kept, not values: memory is one batch and half a megabyte for each tensor held in 8 bits.

import { type Control, checkCancelled, LutraError, type Session, type Tensor } from "../../base/index.ts";
import { batches, countSamples, type Dataset } from "../../data/index.ts";
import { histogramRecorder, type Interval } from "../../num/index.ts";
import { concatenate, exposeValues, type Model, writeModel } from "../../onnx/index.ts";
import { numberOf } from "../../program/index.ts";
import type { Network } from "../trace/network.ts";
import type { Seen } from "./ranges.ts";

export interface Observed {
  /** By tensor of the network. */
  readonly seen: ReadonlyMap<string, Seen>;
  /** The numbers at each place of the last axis, of tensors whose last axis has one length: of inputs, and of those that were asked for. */
  readonly columns: ReadonlyMap<string, readonly Interval[]>;
  /** Samples that were run. */
  readonly samples: number;
}

/** Few, because a batch's values are in memory together. */
const BATCH_SIZE = 4;

/**
 * What the tensors of a network hold on the dataset's calibration split; answers are not looked at.
 * @param model that the network was made of; its tensors are in its file
 * @param asked tensors to look at, true for those whose histogram is wanted
 * @param perColumn tensors whose columns are wanted
 * @param dataset fitted to the model
 * @param openSession opens a session of an ONNX file's bytes; it is released here
 * @throws LutraError "bad-data" if there are no calibration samples, or if a number is NaN or infinite, with the value's name; "cancelled"
 */
export async function observe(
  model: Model,
  network: Network,
  asked: ReadonlyMap<string, boolean>,
  perColumn: ReadonlySet<string>,
  dataset: Dataset,
  openSession: (bytes: Uint8Array) => Promise<Session>,
  control: Control = {},
): Promise<Observed> {
  const total = countSamples(dataset, "calibration");
  if (total === 0) {
    throw new LutraError("bad-data", `"${dataset.name}" has no calibration samples`, {
      note: 'set "splits": {"calibration": ...}, or give calibration inputs of their own',
    });
  }
  const recorders = recordersOf(network, asked, perColumn);
  const inputs = new Set(network.inputs);
  const values = [...new Set(recorders.map(({ source }) => source))].filter((name) => !inputs.has(name));
  const session = await openSession(concatenate(writeModel(exposeValues(model, values))));
  let done = 0;
  try {
    // Padding is not data: only samples of one length share a batch.
    for (const batch of batches(dataset, "calibration", { size: BATCH_SIZE, pad: false })) {
      checkCancelled(control);
      control.onProgress?.({ stage: "calibrate", done, total });
      const tensors = { ...batch.inputs, ...(await session.run(batch.inputs, values)) };
      for (const recorder of recorders) recorder.add(tensors[recorder.source] as Tensor);
      done += batch.samples.length;
    }
    control.onProgress?.({ stage: "calibrate", done, total });
  } finally {
    await session.release();
  }
  const seen = new Map(recorders.map((recorder) => [recorder.tensor, recorder.seen()]));
  const columns = new Map(
    recorders.flatMap((recorder) => (recorder.columns === null ? [] : [[recorder.tensor, recorder.columns] as const])),
  );
  return { seen, columns, samples: done };
}

interface Recorder {
  readonly tensor: string;
  /** Its value in the model. */
  readonly source: string;
  readonly columns: readonly Interval[] | null;
  add(tensor: Tensor): void;
  seen(): Seen;
}

function recordersOf(
  network: Network,
  asked: ReadonlyMap<string, boolean>,
  perColumn: ReadonlySet<string>,
): readonly Recorder[] {
  const isInput = (tensor: string): boolean => network.inputs.includes(tensor);
  return [...asked].flatMap(([tensor, isNarrow]) => {
    const source = network.sources[tensor];
    if (source === undefined) return [];
    const count = numberOf(network.shapes[tensor]?.at(-1) ?? new Map([["", 1]]));
    const hasColumns = count !== null && (isInput(tensor) || perColumn.has(tensor));
    return [recorderOf(tensor, source, isNarrow, hasColumns ? count : null)];
  });
}

function recorderOf(tensor: string, source: string, isNarrow: boolean, count: number | null): Recorder {
  const histogram = isNarrow ? histogramRecorder() : null;
  const columns = count === null ? null : Array.from({ length: count }, () => ({ lo: 0, hi: 0 }));
  const ends = { lo: 0, hi: 0 };
  return {
    tensor,
    source,
    columns,
    add({ data }) {
      const numbers = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number);
      widen(ends, numbers, source);
      histogram?.add(numbers);
      if (columns !== null) addColumns(columns, numbers);
    },
    seen: () => ({ ...ends, histogram: histogram?.histogram() ?? null }),
  };
}

/** @throws LutraError "bad-data" for NaN and infinities */
function widen(ends: { lo: number; hi: number }, numbers: Float32Array, source: string): void {
  let { lo, hi } = ends;
  let rest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i] as number;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
    // 0, and NaN for what is not finite.
    rest += x - x;
  }
  if (rest !== 0) {
    const wrong = numbers.find((x) => !Number.isFinite(x));
    throw new LutraError("bad-data", `calibration makes a value of the model ${wrong}`, { where: source });
  }
  [ends.lo, ends.hi] = [lo, hi];
}

function addColumns(columns: { lo: number; hi: number }[], numbers: Float32Array): void {
  for (const [j, column] of columns.entries()) {
    for (let i = j; i < numbers.length; i += columns.length) {
      const x = numbers[i] as number;
      if (x < column.lo) column.lo = x;
      else if (x > column.hi) column.hi = x;
    }
  }
}
