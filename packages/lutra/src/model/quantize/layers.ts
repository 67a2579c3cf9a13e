// A report per layer: where an integer program loses what the float model knows, on a few calibration samples. The noise that a layer's own codes
// make tells which layer would gain from more bits; the noise of what it holds, how much has arrived there.

import { type Control, checkCancelled, type Session } from "../../base/index.ts";
import { type Batch, batches, type Dataset } from "../../data/index.ts";
import { concatenate, exposeValues, type Model, writeModel } from "../../onnx/index.ts";
import type { Network } from "../trace/network.ts";
import { errorsAlone } from "./alone.ts";
import { comparedValues, compareTensors, type TensorComparison } from "./compare.ts";
import type { Lowered } from "./scheme.ts";

export interface LayerReport {
  /** The value of the model that the layer gives. */
  readonly layer: string;
  /** "product", "norm", "function", "add", ... as the network has it. */
  readonly operator: string;
  /** Of the program: what holds it. */
  readonly tensor: string;
  /** Of its codes. */
  readonly bits: number;
  /** Decibels, of what the program holds against what the model holds: all noise that has arrived. */
  readonly signalToNoise: number;
  /** Decibels, of the model's own numbers rounded to these codes: the noise that this layer alone makes. */
  readonly roundedSignalToNoise: number;
  /** Share of the model's numbers at the ends of the codes, or beyond. */
  readonly clipped: number;
  /**
   * Mean difference of the answers if nothing but this layer is rounded to its codes, the fewest bits that it has; null where it has 16 bits and
   * more, or columns with scales of their own.
   */
  readonly errorAlone: number | null;
}

/** Samples that are interpreted. */
const SAMPLES = 4;

/**
 * Layers by the noise that they make, most first. A value that the program holds in several forms is there once for each.
 * @param network that was lowered
 * @throws LutraError "bad-data" as `interpret` does; "cancelled"
 */
export async function layerReports(
  model: Model,
  network: Network,
  lowered: Lowered,
  dataset: Dataset,
  openSession: (bytes: Uint8Array) => Promise<Session>,
  control: Control = {},
): Promise<readonly LayerReport[]> {
  const [batch] = batches(dataset, "calibration", { size: SAMPLES, pad: false }) as Iterable<Batch>;
  if (batch === undefined) return [];
  const names = comparedValues(lowered, network);
  const errors = await errorsAlone(model, network, lowered, batch, dataset.output, openSession, control);
  const session = await openSession(concatenate(writeModel(exposeValues(model, names))));
  try {
    checkCancelled(control);
    control.onProgress?.({ stage: "comparing layers", done: 0, total: 1 });
    const values = { ...batch.inputs, ...(await session.run(batch.inputs, names)) };
    const operators = new Map(network.operators.map((operator) => [operator.result, operator]));
    const found = compareTensors(lowered, network, batch.inputs, values).flatMap((comparison) => {
      const operator = operators.get(comparison.held.network);
      const isMoved = operator === undefined || operator.op === "reshape" || operator.op === "move";
      const kind = operator?.op === "binary" ? operator.fn : operator?.op;
      return isMoved ? [] : [report(comparison, kind ?? "", errors.get(comparison.source) ?? null)];
    });
    control.onProgress?.({ stage: "comparing layers", done: 1, total: 1 });
    return found.sort((a, b) => a.roundedSignalToNoise - b.roundedSignalToNoise);
  } finally {
    await session.release();
  }
}

function report({ held, source, ...noise }: TensorComparison, operator: string, error: number | null): LayerReport {
  const { tensor, format } = held;
  const errorAlone = format.bits < 16 ? error : null;
  return { layer: source, operator, tensor, bits: format.bits, ...noise, errorAlone };
}
