// The formats that tensors of an integer program take, from the numbers that were seen in them.

import { type IntegerFormat, type Interval, integerFormat } from "../../num/index.ts";
import type { Network } from "../trace/network.ts";

/**
 * What a tensor is wanted as:
 *   byte   int8 with a zero point: what is multiplied with weights, what a table of 256 entries reads
 *   seven  -63 to 63: the operand of a product that has 7 bits
 *   even   int8 without a zero point: the other one
 *   wide   int16 without a zero point: sums, norms, rotations
 *   long   int32 without a zero point: answers
 */
export type Role = "byte" | "seven" | "even" | "wide" | "long";

const LARGEST: Readonly<Record<Exclude<Role, "byte">, number>> = { seven: 63, even: 127, wide: 32767, long: 2 ** 22 };
const BITS: Readonly<Record<Role, number>> = { byte: 8, seven: 7, even: 8, wide: 16, long: 32 };

/** The format of a role for numbers of a range, 0 included. */
export function formatFor(role: Role, { lo, hi }: Interval): IntegerFormat {
  const [least, most] = [Math.min(lo, 0), Math.max(hi, 0)];
  if (role === "byte") {
    const scale = (most - least || 1) / 255;
    return {
      ...integerFormat(true, 8, scale),
      zeroPoint: Math.max(-128, Math.min(127, Math.floor(-128 - least / scale + 0.5))),
    };
  }
  const scale = (Math.max(-least, most) || 1) / LARGEST[role];
  return integerFormat(true, BITS[role], scale);
}

export function rangeOf(data: Float64Array): Interval {
  let [lo, hi] = [Infinity, -Infinity];
  for (const x of data) [lo, hi] = [Math.min(lo, x), Math.max(hi, x)];
  return { lo, hi };
}

/** Formats of a network's tensors: what moves carry from one to another has one format in both. */
export class Formats {
  /** Tensors that moves connect, each by the one that stands for them all. */
  readonly #representatives = new Map<string, string>();
  readonly #ranges = new Map<string, Interval>();

  constructor({ operators, shapes, constants }: Network, range: (tensor: string) => Interval) {
    for (const operator of operators) {
      if (operator.op === "reshape") this.#join(operator.input, operator.result);
      if (operator.op === "move") for (const { from } of operator.pieces) this.#join(from, operator.result);
    }
    for (const tensor of new Set([...Object.keys(shapes), ...Object.keys(constants)])) {
      const data = constants[tensor]?.data;
      const { lo, hi } = data === undefined ? range(tensor) : rangeOf(data);
      const root = this.#representative(tensor);
      const known = this.#ranges.get(root) ?? { lo: 0, hi: 0 };
      this.#ranges.set(root, { lo: Math.min(known.lo, lo), hi: Math.max(known.hi, hi) });
    }
  }

  of(tensor: string, role: Role): IntegerFormat {
    return formatFor(role, this.#ranges.get(this.#representative(tensor)) ?? { lo: 0, hi: 0 });
  }

  #join(a: string, b: string): void {
    const [from, to] = [this.#representative(a), this.#representative(b)];
    if (from !== to) this.#representatives.set(from, to);
  }

  #representative(tensor: string): string {
    let at = tensor;
    for (let next = this.#representatives.get(at); next !== undefined; next = this.#representatives.get(at)) at = next;
    return at;
  }
}
