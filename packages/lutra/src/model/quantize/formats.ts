// The formats that tensors of an integer program take, from the numbers that were seen in them.

import { type IntegerFormat, type Interval, integerFormat } from "../../num/index.ts";
import type { Network } from "../trace/network.ts";

/**
 * What a tensor is wanted as:
 *   byte   int8 with a zero point: what is multiplied with weights, what a table of 256 entries reads
 *   seven  -63 to 63: the operand of a product that has 7 bits
 *   even   int8 without a zero point: the other one
 *   nine, ten, eleven, twelve   so many bits without a zero point: queries and keys of an attention that needs more than 7 and 8
 *   wide   int16 without a zero point: sums, norms, rotations
 *   long   int32 without a zero point: answers
 */
export type Role = "byte" | "seven" | "even" | "nine" | "ten" | "eleven" | "twelve" | "wide" | "long";

export const BITS: Readonly<Record<Role, number>> = {
  ...{ byte: 8, seven: 7, even: 8, nine: 9, ten: 10, eleven: 11, twelve: 12, wide: 16, long: 32 },
};

/** So large a number stands for infinity: its code saturates. */
const INFINITE = 1e30;

export function isInfinite(x: number): boolean {
  return Math.abs(x) >= INFINITE;
}

/** Of the codes in use, sign apart: one for each sign, but for the long ones, which stay far from 32 bits. */
export function largestCode(role: Exclude<Role, "byte">): number {
  return role === "long" ? 2 ** 22 : 2 ** (BITS[role] - 1) - 1;
}

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
  const scale = (Math.max(-least, most) || 1) / largestCode(role);
  return integerFormat(true, BITS[role], scale);
}

export function rangeOf(data: Float64Array): Interval {
  let [lo, hi] = [Infinity, -Infinity];
  for (const x of data) [lo, hi] = [Math.min(lo, x), Math.max(hi, x)];
  return { lo, hi };
}

/** Formats of a network's tensors: what moves carry from one to another has one format in both, of the numbers of those that no move gives and of what fills it. */
export class Formats {
  /** Tensors that moves connect, each by the one that stands for them all. */
  readonly #representatives = new Map<string, string>();
  /** Of each representative, the tensors whose numbers are its own. */
  readonly #members = new Map<string, string[]>();
  /** Of each representative, what moves write where they copy nothing. */
  readonly #fills = new Map<string, number[]>();
  readonly #range: (tensor: string, role: Role) => Interval;
  readonly #known = new Map<string, IntegerFormat>();

  constructor({ operators, shapes, constants }: Network, range: (tensor: string, role: Role) => Interval) {
    this.#range = (tensor, role) => {
      const constant = constants[tensor];
      return constant === undefined ? range(tensor, role) : rangeOf(constant.data);
    };
    const carried = new Set<string>();
    for (const operator of operators) {
      if (operator.op === "reshape") this.#join(operator.input, operator.result);
      if (operator.op === "move") for (const { from } of operator.pieces) this.#join(from, operator.result);
      if (operator.op === "reshape" || operator.op === "move") carried.add(operator.result);
    }
    for (const operator of operators) {
      if (operator.op !== "move" || isInfinite(operator.fill)) continue;
      const root = this.#representative(operator.result);
      this.#fills.set(root, [...(this.#fills.get(root) ?? []), operator.fill]);
    }
    for (const tensor of new Set([...Object.keys(shapes), ...Object.keys(constants)])) {
      if (carried.has(tensor)) continue;
      const root = this.#representative(tensor);
      this.#members.set(root, [...(this.#members.get(root) ?? []), tensor]);
    }
  }

  of(tensor: string, role: Role): IntegerFormat {
    const root = this.#representative(tensor);
    const key = `${role} ${root}`;
    const known = this.#known.get(key) ?? formatFor(role, this.#rangeOfAll(root, role));
    this.#known.set(key, known);
    return known;
  }

  #rangeOfAll(root: string, role: Role): Interval {
    const ranges = (this.#members.get(root) ?? []).map((tensor) => this.#range(tensor, role));
    const fills = this.#fills.get(root) ?? [];
    return {
      lo: Math.min(
        ranges.reduce((least, { lo }) => Math.min(least, lo), 0),
        ...fills,
      ),
      hi: Math.max(
        ranges.reduce((most, { hi }) => Math.max(most, hi), 0),
        ...fills,
      ),
    };
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
