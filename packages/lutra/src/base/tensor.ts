// Tensors and sessions as plain data: the shapes that data, model and adapt exchange.

export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Row-major. `data.length` is the product of `shape`. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Numbers;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** Anything that answers: onnxruntime through `adapt`, the interpreter. `score` compares any two. */
export interface Session {
  /** Runs the model once. `outputs` limits what is computed; all model outputs if absent. */
  run(inputs: Tensors, outputs?: readonly string[]): Promise<Tensors>;
  release(): Promise<void>;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
