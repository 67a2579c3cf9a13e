// A whole model in integers: few kinds of steps over integer tensors, in named blocks. Plain data but for the constants. Its meaning is
// interpret(program); no step computes on floats. Shapes are in named sizes, so that one program serves every batch and length.

import type { IntegerArray, Kernel, Lane } from "../kernel/index.ts";

/** A length in numbers and named sizes: 12, "sequence", {op: "mul", args: ["batch", 12]}. Never negative. */
export type Size = number | string | { readonly op: "add" | "mul"; readonly args: readonly Size[] };

/** A size that a run decides by the shapes of its inputs. */
export interface NamedSize {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

/** What a tensor of a program holds: integers of at most 32 bits. */
export type TensorLane = Exclude<Lane, "f32" | "i64">;

/** How integer codes stand for numbers: scale * (code - zeroPoint), with one scale for all or one for each place of the last axis. */
export interface Quantization {
  readonly scale: number | readonly number[];
  readonly zeroPoint: number;
}

export interface TensorType {
  readonly lane: TensorLane;
  /** Row-major. [] for one number. */
  readonly shape: readonly Size[];
  /** Narrower than the lane: promised of inputs, checked when they are given. */
  readonly range?: readonly [lo: number, hi: number];
  /** Absent where codes are counts or names: ids, masks, classes. */
  readonly quantization?: Quantization;
}

/** Elements of a box, counted off along its axes: element (i, j, ...) is at start + i strides[0] + j strides[1] + ... of the tensor. */
export interface Walk {
  readonly start: Size;
  readonly strides: readonly Size[];
}

export interface Part {
  readonly from: string;
  readonly box: readonly Size[];
  readonly read: Walk;
  readonly write: Walk;
}

/**
 * Tensors are named. A tile is [...outer, rows, columns]; a kernel's param or result varying per element has that shape, per row
 * [...outer, rows], per column [...outer, columns], not at all [...outer]. Arguments align on the right: outer axes may be missing
 * or 1, which repeats the argument.
 */
export type Step =
  /**
   * sums = a b, exact, of a [..., m, k] and b [..., k, n] (with `isTransposed` [..., n, k]), leading axes aligned as above; then the kernel over
   * the tile [..., m, n], whose i32 param "sums" varies per element. No sum passes 32 bits: verified.
   */
  | {
      readonly op: "product";
      readonly a: string;
      readonly b: string;
      readonly isTransposed: boolean;
      readonly kernel: Kernel;
      readonly arguments: Readonly<Record<string, string>>;
      readonly results: readonly string[];
    }
  /** The kernel over a tile of at least two axes. */
  | {
      readonly op: "kernel";
      readonly kernel: Kernel;
      readonly tile: readonly Size[];
      readonly arguments: Readonly<Record<string, string>>;
      readonly results: readonly string[];
    }
  /** result[..., :] = table[ids[...], :]. An id outside the table is an error of the input. */
  | { readonly op: "gather"; readonly table: string; readonly ids: string; readonly result: string }
  /** Copies parts of tensors into places of the result: transpositions, slices, concatenations, repetitions. What no part writes is `fill`. */
  | { readonly op: "move"; readonly parts: readonly Part[]; readonly fill: number; readonly result: string }
  /** The same elements under another shape. */
  | { readonly op: "reshape"; readonly input: string; readonly result: string }
  /** 0, 1, 2, ... in row-major order: positions. */
  | { readonly op: "count"; readonly result: string }
  /** The first place of the largest element along the last axis. */
  | { readonly op: "argmax"; readonly input: string; readonly result: string }
  /** Ends the run if no element of `when` is 0; the outputs are then those tensors. */
  | { readonly op: "exit"; readonly when: string; readonly outputs: Readonly<Record<string, string>> };

export interface Block {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Codes of a tensor. */
export type Codes = IntegerArray;

/** Names are distinct: inputs, constants, states and what steps write. A step writes a tensor once and reads none that it writes. */
export interface Program {
  readonly sizes: readonly NamedSize[];
  readonly tensors: Readonly<Record<string, TensorType>>;
  readonly constants: Readonly<Record<string, Codes>>;
  readonly inputs: readonly string[];
  /** Names of the outputs and the tensors that hold them at the end. */
  readonly outputs: Readonly<Record<string, string>>;
  /**
   * Tensors that keep what they hold from one run to the next; 0 at first. Their shapes have no named sizes. A run writes each at most once,
   * behind every step that reads it or a reshape of it: steps read what the last run left; only outputs may be what this one wrote.
   */
  readonly states: readonly string[];
  readonly blocks: readonly Block[];
}
