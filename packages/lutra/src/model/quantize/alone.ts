// What each layer's codes alone do to the answers: the float model runs with one layer rounded and all others as they are, one after another.

import { type Control, checkCancelled, type Session, type Tensors } from "../../base/index.ts";
import type { Batch } from "../../data/index.ts";
import { codeRange } from "../../num/index.ts";
import { concatenate, type Model, type Rounding, SWITCHES, withSwitches, writeModel } from "../../onnx/index.ts";
import type { Network } from "../trace/network.ts";
import type { HeldTensor, Lowered } from "./scheme.ts";

/** Codes of so many bits and more round nothing that answers would show. */
const FINE_BITS = 16;

/**
 * By value of the model, the mean difference of the answers when what the program holds of it, in fewest bits, is all that is rounded. Values held
 * in 16 bits and more are not among them, nor the inputs, nor those whose columns have scales of their own.
 * @param batch samples that are run, once for each value
 * @param output the answers that count; all if null
 */
export async function errorsAlone(
  model: Model,
  network: Network,
  { held }: Lowered,
  batch: Batch,
  output: string | null,
  openSession: (bytes: Uint8Array) => Promise<Session>,
  control: Control,
): Promise<ReadonlyMap<string, number>> {
  const roundings = roundingsOf(model, network, held);
  const errors = new Map<string, number>();
  if (roundings.size === 0) return errors;
  const names = output === null ? Object.keys(network.outputs) : [output];
  const session = await openSession(concatenate(writeModel(withSwitches(model, roundings))));
  const run = (on: number): Promise<Tensors> => {
    const data = Float32Array.from({ length: roundings.size }, (_, i) => Number(i === on));
    return session.run({ ...batch.inputs, [SWITCHES]: { shape: [roundings.size], data } }, names);
  };
  try {
    const before = await run(-1);
    for (const [i, name] of [...roundings.keys()].entries()) {
      checkCancelled(control);
      control.onProgress?.({ stage: "rounding each layer", done: i, total: roundings.size });
      errors.set(name, meanDifference(before, await run(i)));
    }
    control.onProgress?.({ stage: "rounding each layer", done: roundings.size, total: roundings.size });
    return errors;
  } finally {
    await session.release();
  }
}

function roundingsOf({ graph }: Model, network: Network, held: readonly HeldTensor[]): ReadonlyMap<string, Rounding> {
  const operators = new Map(network.operators.map((operator) => [operator.result, operator]));
  const given = new Set(graph.node.flatMap(({ output }) => output));
  const roundings = new Map<string, Rounding>();
  for (const { network: tensor, format, factors, scales } of [...held].sort((a, b) => a.format.bits - b.format.bits)) {
    const source = network.sources[tensor];
    const operator = operators.get(tensor);
    const isMoved = operator === undefined || operator.op === "reshape" || operator.op === "move";
    const isOwn = factors !== null || scales !== undefined;
    if (source === undefined || isMoved || isOwn || format.bits >= FINE_BITS) continue;
    if (!given.has(source) || roundings.has(source)) continue;
    const { scale, zeroPoint } = format;
    roundings.set(source, { scale, zeroPoint, ...codeRange(format) });
  }
  return roundings;
}

function meanDifference(before: Tensors, after: Tensors): number {
  let [sum, count] = [0, 0];
  for (const [name, { data }] of Object.entries(before)) {
    const other = after[name]?.data ?? data;
    for (let i = 0; i < data.length; i++) sum += Math.abs(Number(data[i]) - Number(other[i]));
    count += data.length;
  }
  return sum / Math.max(1, count);
}
