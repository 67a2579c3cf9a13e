// The inputs of a run: their shapes decide the named sizes, their integers are checked and brought into the lanes of their tensors.

import { LutraError, sizeOf, type Tensor, type Tensors } from "../base/index.ts";
import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { newCodes } from "./machine.ts";
import { type Extents, shapeIn } from "./sizes.ts";
import type { Codes, Program, TensorType } from "./types.ts";

/** The named sizes of a run, from the shapes of its inputs. @throws LutraError "bad-data" */
export function extentsOf({ inputs, sizes, tensors }: Program, given: Tensors): Extents {
  const found = new Map<string, number>();
  for (const name of inputs) {
    const shape = given[name]?.shape;
    const wanted = (tensors[name] as TensorType).shape;
    if (shape === undefined) throw bad(`the input ${name} is missing`);
    if (shape.length !== wanted.length) throw bad(`the input ${name} has ${wanted.length} axes, got [${shape}]`);
    if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
      throw bad(`the axes of the input ${name} are integers from 0 on, got [${shape}]`);
    }
    wanted.forEach((size, axis) => {
      if (typeof size === "string" && !found.has(size)) found.set(size, shape[axis] as number);
    });
  }
  const extents = Object.fromEntries(found);
  for (const { name, least, most } of sizes) {
    const extent = extents[name] as number;
    if (!(least <= extent && extent <= most)) throw bad(`${name} is from ${least} to ${most}, got ${extent}`);
  }
  for (const name of inputs) {
    const [shape, wanted] = [given[name]?.shape, shapeIn((tensors[name] as TensorType).shape, extents)];
    if (`${shape}` !== `${wanted}`) throw bad(`the input ${name} is [${wanted}], got [${shape}]`);
  }
  return extents;
}

/**
 * An input brought into the lane of its tensor.
 * @param codes filled and returned
 * @throws LutraError "bad-data" for what is no integer of the tensor
 */
export function inputCodes(
  name: string,
  { lane, range }: TensorType,
  inputs: Tensors,
  codes: Codes = newCodes(lane, (inputs[name] as Tensor).data.length),
): Codes {
  const { data, shape } = inputs[name] as Tensor;
  if (data.length !== sizeOf(shape)) throw bad(`the input ${name} has ${data.length} codes for [${shape}]`);
  const { lo, hi } = range === undefined ? (laneRange(lane) as Interval) : { lo: range[0], hi: range[1] };
  for (let i = 0; i < data.length; i++) {
    const code = Number(data[i]);
    if (!(Number.isInteger(code) && lo <= code && code <= hi)) {
      throw bad(`the input ${name} holds integers from ${lo} to ${hi}, got ${code}`);
    }
    codes[i] = code;
  }
  return codes;
}

export function bad(message: string): LutraError {
  return new LutraError("bad-data", message);
}
