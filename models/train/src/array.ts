// Arrays whose functions are compiled and differentiated: our own interface to @jax-js/jax, and the only file that names it.
// A Value exists only while `compile` traces a function, and may be used as often as one likes; what goes in and comes out
// are HostArrays. So nobody else counts references, which jax-js does for arrays that live longer.
import { init, jit, lax, nn, numpy, valueAndGrad } from "@jax-js/jax";

/** An array being traced. */
export interface Value {
  readonly shape: readonly number[];
}

/** Plain numbers, row by row. */
export interface HostArray<T extends Float32Array | Int32Array = Float32Array> {
  readonly shape: readonly number[];
  readonly data: T;
}

/** Starts the WebAssembly backend. Named, because looking for the others fails in Node 20. */
export async function startBackend(): Promise<void> {
  await init("wasm");
}

/** A further reference, because every operation of jax-js uses one up. */
function use(x: Value): numpy.Array {
  return (x as numpy.Array).ref;
}

export function add(a: Value, b: Value | number): Value {
  return use(a).add(typeof b === "number" ? b : use(b));
}

export function subtract(a: Value, b: Value): Value {
  return use(a).sub(use(b));
}

export function multiply(a: Value, b: Value | number): Value {
  return use(a).mul(typeof b === "number" ? b : use(b));
}

export function divide(a: Value, b: Value): Value {
  return use(a).div(use(b));
}

export function sqrt(x: Value): Value {
  return numpy.sqrt(use(x));
}

export function erf(x: Value): Value {
  return lax.erf(use(x));
}

/** Over the last axis, which stays with extent 1. */
export function mean(x: Value): Value {
  return numpy.mean(use(x), -1, { keepdims: true });
}

/** Of all elements. */
export function sum(x: Value): Value {
  return numpy.sum(use(x));
}

/** Over the last axis. */
export function softmax(x: Value): Value {
  return nn.softmax(use(x), -1);
}

/** Over the last axis. */
export function logSoftmax(x: Value): Value {
  return nn.logSoftmax(use(x), -1);
}

/** Over the last two axes. */
export function matmul(a: Value, b: Value): Value {
  return numpy.matmul(use(a), use(b));
}

export function reshape(x: Value, shape: readonly number[]): Value {
  return use(x).reshape([...shape]);
}

export function transpose(x: Value, axes: readonly number[]): Value {
  return numpy.transpose(use(x), [...axes]);
}

/** Joins along an axis. */
export function concatenate(parts: readonly Value[], axis: number): Value {
  return numpy.concatenate(parts.map(use), axis);
}

/** The first `count` entries along axis 1. */
export function head(x: Value, count: number): Value {
  return use(x).slice([], [0, count]);
}

/** Row `ids[i]` of the table for each i: shape [...ids.shape, width]. */
export function lookup(table: Value, ids: Value): Value {
  return numpy.matmul(nn.oneHot(use(ids), table.shape[0]), use(table));
}

/** The same values, repeated along new or single axes. */
export function broadcast(x: Value, shape: readonly number[]): Value {
  return numpy.broadcastTo(use(x), [...shape]);
}

/** A scalar function of parameters, and its gradient by each of them. */
export function withGradient(
  loss: (parameters: readonly Value[]) => Value,
  parameters: readonly Value[],
): readonly Value[] {
  const differentiate = valueAndGrad((values: numpy.Array[]) => loss(values) as numpy.Array);
  const [value, gradient] = differentiate(parameters.map(use));
  return [value, ...gradient];
}

/** Compiles a function for each combination of shapes that it is called with. */
export function compile(
  trace: (inputs: readonly Value[]) => readonly Value[],
): (inputs: readonly HostArray<Float32Array | Int32Array>[]) => readonly HostArray[] {
  const compiled = jit((inputs: numpy.Array[]) => trace(inputs) as numpy.Array[]);
  return (inputs) => compiled(inputs.map(toDevice)).map(toHost);
}

function toDevice({ shape, data }: HostArray<Float32Array | Int32Array>): numpy.Array {
  return numpy.array(data as Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>).reshape([...shape]);
}

function toHost(array: numpy.Array): HostArray {
  const { shape } = array;
  return { shape, data: Float32Array.from(array.dataSync() as Float32Array) };
}
