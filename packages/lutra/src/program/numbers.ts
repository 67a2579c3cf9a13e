// Numbers and the codes that stand for them: what goes into a program and what comes out of it, the same bits in every runner. The only floating
// point there is.

import { sizeOf, type Tensor, type Tensors } from "../base/index.ts";
import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { bad } from "./inputs.ts";
import { newCodes } from "./machine.ts";
import type { Codes, Program, Quantization, TensorType } from "./types.ts";

/**
 * The codes of numbers: floor(x / scale + 1/2) + zeroPoint, saturated to what the tensor holds, in binary64. Where there is no quantization the
 * numbers are the codes, and none saturates.
 * @param data row-major; the last axis has the length of `scale` if that is a list
 * @param codes of the tensor's lane and as long as `data`; filled and returned
 * @throws LutraError "bad-data" for NaN, and for integers that the tensor does not hold
 */
export function encodeNumbers(
  data: Tensor["data"],
  type: TensorType,
  codes: Codes = newCodes(type.lane, data.length),
  name = "",
): Codes {
  const { lo, hi } = holds(type);
  if (type.quantization === undefined) return encodeIntegers(data, lo, hi, codes, name);
  const { scale, zeroPoint } = type.quantization;
  const columns = typeof scale === "number" ? 1 : scale.length;
  for (let j = 0; j < columns; j++) {
    const unit = typeof scale === "number" ? scale : (scale[j] as number);
    for (let i = j; i < data.length; i += columns) {
      const x = Number(data[i]);
      const code = Math.floor(x / unit + 0.5) + zeroPoint;
      if (code >= lo && code <= hi) codes[i] = code;
      else if (Number.isNaN(x)) throw bad(`the input ${name} holds NaN`);
      else codes[i] = code < lo ? lo : hi;
    }
  }
  return codes;
}

function encodeIntegers(data: Tensor["data"], lo: number, hi: number, codes: Codes, name: string): Codes {
  for (let i = 0; i < data.length; i++) {
    const code = Number(data[i]);
    if (!(Number.isInteger(code) && lo <= code && code <= hi)) {
      throw bad(`the input ${name} holds integers from ${lo} to ${hi}, got ${code}`);
    }
    codes[i] = code;
  }
  return codes;
}

function holds({ lane, range }: TensorType): Interval {
  return range === undefined ? (laneRange(lane) as Interval) : { lo: range[0], hi: range[1] };
}

/**
 * The numbers that codes stand for: scale (code - zeroPoint), rounded to binary32.
 * @param numbers as long as `codes`; filled and returned
 */
export function decodeCodes(
  codes: Codes,
  { scale, zeroPoint }: Quantization,
  numbers: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const columns = typeof scale === "number" ? 1 : scale.length;
  for (let j = 0; j < columns; j++) {
    const unit = typeof scale === "number" ? scale : (scale[j] as number);
    for (let i = j; i < codes.length; i += columns) numbers[i] = unit * ((codes[i] as number) - zeroPoint);
  }
  return numbers;
}

/**
 * The inputs of a program in codes; inputs that it does not read are left out.
 * @throws LutraError "bad-data" as `encodeNumbers` does, and for inputs that are missing or not as long as their shape
 */
export function encodeInputs({ inputs, tensors }: Program, numbers: Tensors): Tensors {
  return Object.fromEntries(
    inputs.map((name) => {
      const given = numbers[name];
      if (given === undefined) throw bad(`the input ${name} is missing`);
      const { shape, data } = given;
      if (data.length !== sizeOf(shape)) throw bad(`the input ${name} has ${data.length} numbers for [${shape}]`);
      const type = tensors[name] as TensorType;
      const { scale = 1 } = type.quantization ?? {};
      if (typeof scale !== "number" && scale.length !== shape.at(-1)) {
        throw bad(`the last axis of the input ${name} has ${scale.length} places, got [${shape}]`);
      }
      return [name, { shape, data: encodeNumbers(data, type, newCodes(type.lane, data.length), name) }];
    }),
  );
}

/** A program's outputs as numbers; those without a quantization stay integers. */
export function decodeOutputs({ outputs, tensors }: Program, codes: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(codes).map(([name, { shape, data }]) => {
      const { quantization } = tensors[outputs[name] as string] as TensorType;
      return [name, { shape, data: quantization === undefined ? data : decodeCodes(data as Codes, quantization) }];
    }),
  );
}
