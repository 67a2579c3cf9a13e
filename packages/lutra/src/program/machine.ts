// What the interpreter holds while it runs: the lengths of this run and the tensors written so far.

import type { Tensor } from "../base/index.ts";
import { LANE_ARRAYS } from "../kernel/index.ts";
import { type Extents, shapeIn } from "./sizes.ts";
import type { Codes, Program, TensorLane, TensorType } from "./types.ts";

export interface Machine {
  readonly program: Program;
  readonly extents: Extents;
  readonly held: Map<string, Codes>;
}

export function newCodes(lane: TensorLane, length: number): Codes {
  return new LANE_ARRAYS[lane](length);
}

export function codesIn({ held }: Machine, name: string): Codes {
  const codes = held.get(name);
  if (codes === undefined) throw new RangeError(`tensor ${name} is read before it is written`);
  return codes;
}

export function shapeOf({ program, extents }: Machine, name: string): number[] {
  return shapeIn((program.tensors[name] as TensorType).shape, extents);
}

export function tensorIn(machine: Machine, name: string): Tensor {
  return { shape: shapeOf(machine, name), data: codesIn(machine, name) };
}

/** A new array for a tensor. */
export function write({ program, held }: Machine, name: string, length: number): Codes {
  const codes = newCodes((program.tensors[name] as TensorType).lane, length);
  held.set(name, codes);
  return codes;
}
