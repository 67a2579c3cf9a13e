// Numbers and the codes that stand for them: what goes into a program and what comes out of it, the same bits in every runner. The only floating
// point there is.

import { type LutraError, sizeOf, type Tensor, type Tensors } from "../base/index.ts";
import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { bad } from "./inputs.ts";
import { newCodes } from "./machine.ts";
import type { Codes, Program, Quantization, TensorType } from "./types.ts";

/**
 * The codes of numbers: floor(x r + 1/2) + zeroPoint, saturated to what the tensor holds. r = 1 / scale; x, r, their product and the sum are each
 * rounded to binary32. Where there is no quantization the numbers are the codes, and none saturates.
 * @param data row-major; the last axis has the length of `scale` if that is a list
 * @param codes of the tensor's lane and as long as `data`; filled and returned
 * @param from the first number that is encoded
 * @throws LutraError "bad-data" for NaN, and for integers that the tensor does not hold
 */
export function encodeNumbers(
  data: Tensor["data"],
  type: TensorType,
  codes: Codes = newCodes(type.lane, data.length),
  name = "",
  from = 0,
): Codes {
  const { lo, hi } = holds(type);
  if (type.quantization === undefined) return encodeIntegers(data, lo, hi, codes, name);
  const { zeroPoint } = type.quantization;
  const reciprocals = reciprocalsOf(type.quantization);
  for (let i = from; i < data.length; i++) {
    const product = Math.fround(Math.fround(Number(data[i])) * (reciprocals[i % reciprocals.length] as number));
    const code = Math.floor(Math.fround(product + 0.5)) + zeroPoint;
    if (code >= lo && code <= hi) codes[i] = code;
    else if (Number.isNaN(code)) throw nanFault(name);
    else codes[i] = code < lo ? lo : hi;
  }
  return codes;
}

/** 1 / scale in binary32, of each place of the last axis or of all. */
export function reciprocalsOf({ scale }: Quantization): Float32Array {
  return Float32Array.from(typeof scale === "number" ? [scale] : scale, (unit) => 1 / unit);
}

/** The scales in binary32, of each place of the last axis or of all. */
export function scalesOf({ scale }: Quantization): Float32Array {
  return Float32Array.from(typeof scale === "number" ? [scale] : scale);
}

export function nanFault(name: string): LutraError {
  return bad(`the input ${name} holds NaN`);
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
 * The numbers that codes stand for: scale (code - zeroPoint), the scale, the difference and the product each rounded to binary32.
 * @param numbers as long as `codes`; filled and returned
 * @param from the first code that is decoded
 */
export function decodeCodes(
  codes: Codes,
  quantization: Quantization,
  numbers: Float32Array = new Float32Array(codes.length),
  from = 0,
): Float32Array {
  const scales = scalesOf(quantization);
  for (let i = from; i < codes.length; i++) {
    numbers[i] = Math.fround((codes[i] as number) - quantization.zeroPoint) * (scales[i % scales.length] as number);
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
