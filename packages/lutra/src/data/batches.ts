// Cuts batches: gathers samples, brings them to one length, converts them to what the model is fed, and refuses what is not a finite
// number of the right type. A sample's values do not depend on what it is batched with; only its padding does, and that is masked.

import { LutraError, type Numbers, sizeOf, type Tensor, type Tensors } from "../base/index.ts";
import type { Dataset, Split } from "./dataset.ts";
import type { ElementType } from "./description.ts";
import { FREE_LAYOUT, type Layout } from "./layout.ts";
import type { Samples, StoredInput, Target } from "./samples.ts";

export interface Batch {
  /** Which samples of the dataset, in the order of the batch. */
  readonly samples: readonly number[];
  /** Place of each sample in its split, 0 to the split's count - 1. */
  readonly positions: readonly number[];
  readonly inputs: Tensors;
  /** Real length of each sample where samples have lengths, and the length that the batch is padded to. */
  readonly lengths: { readonly each: readonly number[]; readonly padded: number } | null;
  readonly targets: readonly Target[] | null;
}

/**
 * Every sample of a split once, up to `size` at a time; one at a time if the model takes no batches. Samples with lengths come shortest
 * first. A batch holds different lengths only if an input masks the padding and `pad` is not false.
 * @throws LutraError "bad-data" (NaN, infinity, a number that its type cannot hold) or "mismatch" (longer than the model takes), with the sample
 */
export function* batches(
  dataset: Dataset,
  split: Split,
  size: number,
  options: { readonly pad?: boolean } = {},
): Generator<Batch, void> {
  if (!(Number.isInteger(size) && size >= 1)) throw new RangeError(`a batch holds at least 1 sample, got ${size}`);
  const { samples, indices } = dataset.parts[split];
  const { lengths } = samples;
  const layouts = dataset.layouts ?? {};
  const limit = Object.values(layouts).some(({ batch }) => batch !== "free") ? 1 : size;
  const isMasked = Object.values(samples.inputs).some(({ kind, hasLengths }) => kind === "mask" && hasLengths);
  const mayPad = lengths === null || (isMasked && options.pad !== false);
  const order = Array.from(indices, (_, position) => position);
  const lengthAt = (position: number): number => lengths?.[indices[position]] ?? 0;
  if (lengths !== null) order.sort((a, b) => lengthAt(a) - lengthAt(b));

  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && end - start < limit && (mayPad || lengthAt(order[end]) === lengthAt(order[start])))
      end++;
    const positions = order.slice(start, end);
    const chosen = positions.map((position) => indices[position]);
    const inputs = Object.keys(samples.inputs).map(
      (name) => [name, gather(samples, name, chosen, layouts[name] ?? FREE_LAYOUT)] as const,
    );
    yield {
      samples: chosen,
      positions,
      inputs: Object.fromEntries(inputs),
      lengths: lengths && { each: chosen.map((sample) => lengths[sample]), padded: longest(lengths, chosen) },
      targets: samples.targets && chosen.map((sample) => (samples.targets as readonly Target[])[sample]),
    };
  }
}

function longest(lengths: Int32Array, chosen: readonly number[]): number {
  return chosen.reduce((most, sample) => Math.max(most, lengths[sample]), 0);
}

function gather(samples: Samples, name: string, chosen: readonly number[], layout: Layout): Tensor {
  const input = samples.inputs[name];
  const lengths = input.hasLengths ? samples.lengths : null;
  const needed = lengths === null ? input.shape[0] : longest(lengths, chosen);
  const width = layout.width ?? needed;
  if (needed > width) {
    const where = `input "${name}", sample ${chosen.find((sample) => lengths?.[sample] === needed)}`;
    throw new LutraError("mismatch", `the sample has length ${needed}, the model takes ${width}`, { where });
  }
  const sampleShape = input.shape.length === 0 ? [] : [width, ...input.shape.slice(1)];
  const stride = sizeOf(sampleShape);
  const data = allocate(input.type, chosen.length * stride);
  chosen.forEach((sample, i) => {
    if (input.kind === "stored") convert(input, name, sample, Math.min(stride, sizeOf(input.shape)), data, i * stride);
    else if (input.kind === "mask") fillOnes(data, i * stride, lengths?.[sample] ?? stride);
  });
  return { shape: layout.batch === "none" ? sampleShape : [chosen.length, ...sampleShape], data };
}

function fillOnes(data: Numbers, start: number, count: number): void {
  if (data instanceof BigInt64Array) data.fill(1n, start, start + count);
  else data.fill(1, start, start + count);
}

/** Largest and smallest integer of each type; null for floats. int64 values are read as doubles, so they end at 2^53. */
const INTEGER_RANGE: Readonly<Record<ElementType, readonly [lo: number, hi: number] | null>> = {
  float32: null,
  float64: null,
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 53), 2 ** 53],
  bool: [0, 1],
};

/** Writes the first `count` values of a sample to `out` at `start`: computed in binary64, rounded once to the type. */
function convert(input: StoredInput, name: string, sample: number, count: number, out: Numbers, start: number): void {
  const { data, scale, mean, std, type } = input;
  const first = sample * sizeOf(input.shape);
  const range = INTEGER_RANGE[type];
  for (let i = 0; i < count; i++) {
    const value = (Number(data[first + i]) * scale - mean) / std;
    if (range === null) {
      out[start + i] = value;
      // After rounding: a binary64 may be finite and too large for binary32.
      if (Number.isFinite(out[start + i] as number)) continue;
    } else if (Number.isInteger(value) && value >= range[0] && value <= range[1]) {
      if (out instanceof BigInt64Array) out[start + i] = BigInt(value);
      else out[start + i] = value;
      continue;
    }
    const where = `${input.name}: sample ${sample}, element ${i}`;
    throw new LutraError("bad-data", `input "${name}" must hold finite ${type} values, got ${value}`, { where });
  }
}

function allocate(type: ElementType, length: number): Numbers {
  switch (type) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "int8":
      return new Int8Array(length);
    case "uint8":
    case "bool":
      return new Uint8Array(length);
    case "int16":
      return new Int16Array(length);
    case "uint16":
      return new Uint16Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint32":
      return new Uint32Array(length);
    case "int64":
      return new BigInt64Array(length);
    default:
      return type satisfies never;
  }
}
