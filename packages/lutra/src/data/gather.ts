// Gathers one input of some samples into a tensor: brings them to one width, converts them to the type the model is fed, and refuses
// what is not a finite number of that type. Knows nothing of splits and of which samples belong together.

import { LutraError, type Numbers, sizeOf, type Tensor } from "../base/index.ts";
import type { ElementType } from "./description.ts";
import type { Layout } from "./layout.ts";
import type { SampleInput, StoredInput } from "./samples.ts";

/** Some samples, and how long each is if they have lengths. */
export interface Chosen {
  readonly samples: readonly number[];
  /** `each` in the order of the samples; all are padded to `padded`. */
  readonly lengths: { readonly each: readonly number[]; readonly padded: number } | null;
}

/**
 * The tensor of one input, [samples, ...sample] or without the batch dimension; padded with 0.
 * @throws LutraError "bad-data" (NaN, infinity, a number that the type cannot hold), naming the sample
 */
export function gather(input: SampleInput, name: string, { samples, lengths }: Chosen, batch: Layout["batch"]): Tensor {
  const [stored, ...rest] = input.shape;
  const width = input.hasLengths && lengths !== null ? lengths.padded : stored;
  const shape = input.shape.length === 0 ? [] : [width, ...rest];
  const stride = sizeOf(shape);
  const data = allocate(input.type, samples.length * stride);
  samples.forEach((sample, i) => {
    if (input.kind === "stored" || input.kind === "constant") {
      convert(input, name, sample, Math.min(stride, sizeOf(input.shape)), data, i * stride);
    } else if (input.kind === "mask")
      fillOnes(data, i * stride, input.hasLengths ? (lengths?.each[i] ?? width) : width);
  });
  return { shape: batch === "none" ? shape : [samples.length, ...shape], data };
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
  const first = input.kind === "constant" ? 0 : sample * sizeOf(input.shape);
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
