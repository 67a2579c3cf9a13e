// What a model computes on real numbers, operator by operator, its shapes in named sizes: between ONNX, whose exporters spell one thing in
// many ways, and the integer program made of it. Layers are whole; arithmetic about shapes is done; reshapes and moves are explicit.

import type { Polynomial } from "../../program/index.ts";

export type Shape = readonly Polynomial[];

/** Numbers known beforehand. */
export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Elements of a box in a tensor: start + i strides[0] + j strides[1] + ... */
export interface Place {
  readonly start: Polynomial;
  readonly strides: Shape;
}

export interface Piece {
  readonly from: string;
  readonly box: Shape;
  readonly read: Place;
  readonly write: Place;
}

export type BinaryFunction = "add" | "sub" | "mul" | "div" | "equal" | "less" | "greater" | "and" | "or";

/** Tensors by name; those of `constants` may stand wherever a tensor is read. Binary operators repeat axes that are 1 or missing. */
export type Operator =
  | { readonly op: "product"; readonly a: string; readonly b: string; readonly result: string }
  | {
      readonly op: "binary";
      readonly fn: BinaryFunction;
      readonly a: string;
      readonly b: string;
      readonly result: string;
    }
  /** `fn` is text that fn/ parses. */
  | { readonly op: "function"; readonly fn: string; readonly input: string; readonly result: string }
  /** Along the last axis. */
  | { readonly op: "softmax"; readonly input: string; readonly result: string }
  | {
      readonly op: "norm";
      readonly kind: "layer-norm" | "rms-norm";
      readonly epsilon: number;
      readonly input: string;
      readonly gamma: string | null;
      readonly beta: string | null;
      readonly result: string;
    }
  | { readonly op: "gather"; readonly table: string; readonly ids: string; readonly result: string }
  | {
      readonly op: "select";
      readonly condition: string;
      readonly a: string;
      readonly b: string;
      readonly result: string;
    }
  | { readonly op: "move"; readonly pieces: readonly Piece[]; readonly fill: number; readonly result: string }
  | { readonly op: "reshape"; readonly input: string; readonly result: string }
  /** 0, 1, 2, ... */
  | { readonly op: "count"; readonly result: string }
  /** Over the last axis, which goes. */
  | { readonly op: "mean"; readonly input: string; readonly result: string };

export interface Network {
  readonly inputs: readonly string[];
  /** Inputs whose type says that they hold integers, or true and false; none if absent. */
  readonly integers?: readonly string[];
  /** Names of the model, and the tensors that hold them. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Of tensors that inputs and operators give. */
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly constants: Readonly<Record<string, Constant>>;
  readonly operators: readonly Operator[];
  /** The value of the model that each tensor holds, where it is one. */
  readonly sources: Readonly<Record<string, string>>;
}
