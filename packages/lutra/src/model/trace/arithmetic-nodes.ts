// Nodes that compute numbers: products, binary and unary arithmetic, means, lookups by id. On constants they are folded.

import { integersAttribute, type NodeProto, numberAttribute } from "../../onnx/index.ts";
import { areSame, fromNumber, numberOf, over, type Polynomial, plus, times } from "../../program/index.ts";
import { BINARY, choose, combine } from "./folding.ts";
import { fromFirst, moved } from "./moved.ts";
import type { BinaryFunction, Shape } from "./network.ts";
import { ONE, stridesOf, type Tracer } from "./tracer.ts";
import { asSizes, constant, shapeOf, sizes, type Traced } from "./values.ts";

export type Handler = (tracer: Tracer, inputs: readonly Traced[], node: NodeProto) => readonly Traced[];

const RUN_BINARY: Readonly<Record<string, BinaryFunction>> = {
  Add: "add",
  Sub: "sub",
  Mul: "mul",
  Div: "div",
  Equal: "equal",
  Less: "less",
  Greater: "greater",
  And: "and",
  Or: "or",
};

/** The text of functions of one number. */
const UNARY: Readonly<Record<string, string>> = {
  Relu: "max(x, 0)",
  Tanh: "tanh",
  Sigmoid: "sigmoid",
  Erf: "erf",
  Exp: "exp",
  Log: "log",
  Sqrt: "sqrt",
  Reciprocal: "reciprocal",
  Neg: "-x",
  Abs: "abs(x)",
  Not: "1-x",
};

const FOLD_UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Not: (x) => Number(x === 0),
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Floor: Math.floor,
};

/** The shape of two operands together. @throws LutraError "unsupported" where that depends on the run */
function joined(tracer: Tracer, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a.at(i - rank) ?? ONE, b.at(i - rank) ?? ONE];
    if (areSame(x, y) || areSame(y, ONE)) return x;
    if (areSame(x, ONE)) return y;
    throw tracer.fault("axes of different sizes meet");
  });
}

/** How ONNX divides integers. */
function truncated(a: number, b: number): number {
  return Math.trunc(a / b);
}

function binary(name: string): Handler {
  return (tracer, [a, b], node) => {
    if (a === undefined || b === undefined) throw tracer.fault("an operand is missing");
    const isQuotient = name === "Div" && tracer.isInteger(node.output[0] ?? "");
    const fold = isQuotient ? truncated : (BINARY[name] as (typeof BINARY)[string]);
    if (a.kind === "constant" && b.kind === "constant")
      return [{ kind: "constant", constant: combine(fold, a.constant, b.constant) }];
    if (a.kind === "sizes" || b.kind === "sizes") return [sizeArithmetic(tracer, name, a, b)];
    const fn = RUN_BINARY[name];
    if (fn === undefined) throw tracer.fault(`${name} of what a run computes`);
    return [
      tracer.append(
        { op: "binary", fn, a: tracer.tensor(a), b: tracer.tensor(b) },
        joined(tracer, shapeOf(a), shapeOf(b)),
      ),
    ];
  };
}

/** What exporters compute about shapes. Sizes are never negative, so that a comparison with a negative number is known. */
function sizeArithmetic(tracer: Tracer, name: string, a: Traced, b: Traced): Traced {
  const [left, right] = [tracer.sizes(a), tracer.sizes(b)];
  const isList = shapeOf(a).length + shapeOf(b).length > 0;
  const count = Math.max(left.length, right.length);
  const all = Array.from({ length: count }, (_, i) => {
    const [x, y] = [left.length === 1 ? left[0] : left[i], right.length === 1 ? right[0] : right[i]] as [
      Polynomial,
      Polynomial,
    ];
    const result = one(name, x, y);
    if (result === null) throw tracer.fault(`${name} of sizes of the run`);
    return result;
  });
  return sizes(all, isList);
}

function one(name: string, x: Polynomial, y: Polynomial): Polynomial | null {
  switch (name) {
    case "Add":
      return plus(x, y);
    case "Sub":
      return plus(x, y, -1);
    case "Mul":
      return times(x, y);
    case "Div":
      return over(x, y);
    case "Equal": {
      if (areSame(x, y)) return ONE;
      const [a, b] = [numberOf(x), numberOf(y)];
      const isDifferent = (a !== null && b !== null) || (a ?? 0) < 0 || (b ?? 0) < 0;
      return isDifferent ? fromNumber(0) : null;
    }
    default:
      return null;
  }
}

const product: Handler = (tracer, [a, b]) => {
  if (a === undefined || b === undefined) throw tracer.fault("a factor is missing");
  const [left, right] = [shapeOf(a), shapeOf(b)];
  if (left.length < 2 || right.length < 2) throw tracer.fault("a product of vectors");
  const outer = joined(tracer, left.slice(0, -2), right.slice(0, -2));
  const shape = [...outer, left.at(-2) as Polynomial, right.at(-1) as Polynomial];
  return [tracer.append({ op: "product", a: tracer.tensor(a), b: tracer.tensor(b) }, shape)];
};

function unary(name: string): Handler {
  return (tracer, [x]) => {
    if (x === undefined) throw tracer.fault("the operand is missing");
    const fold = FOLD_UNARY[name];
    if (x.kind === "constant" && fold !== undefined) {
      return [{ kind: "constant", constant: { shape: x.constant.shape, data: x.constant.data.map(fold) } }];
    }
    const fn = UNARY[name];
    if (fn === undefined) throw tracer.fault(`${name} of what a run computes`);
    return [tracer.append({ op: "function", fn, input: tracer.tensor(x) }, shapeOf(x))];
  };
}

const select: Handler = (tracer, [condition, a, b]) => {
  if (condition === undefined || a === undefined || b === undefined) throw tracer.fault("an operand is missing");
  if (condition.kind === "constant" && a.kind === "constant" && b.kind === "constant") {
    return [{ kind: "constant", constant: choose(condition.constant, a.constant, b.constant) }];
  }
  const [yes, no] = [asSizes(a), asSizes(b)];
  if (condition.kind === "constant" && (a.kind === "sizes" || b.kind === "sizes") && yes !== null && no !== null) {
    const which = condition.constant.data;
    const count = Math.max(which.length, yes.length, no.length);
    const at = <T>(list: ArrayLike<T>, i: number): T => list[list.length === 1 ? 0 : i] as T;
    return [
      sizes(
        Array.from({ length: count }, (_, i) => (at(which, i) !== 0 ? at(yes, i) : at(no, i))),
        true,
      ),
    ];
  }
  const shape = joined(tracer, shapeOf(condition), joined(tracer, shapeOf(a), shapeOf(b)));
  const operands = { condition: tracer.tensor(condition), a: tracer.tensor(a), b: tracer.tensor(b) };
  return [tracer.append({ op: "select", ...operands }, shape)];
};

const range: Handler = (tracer, [first, end, step]) => {
  if (first === undefined || end === undefined || step === undefined) throw tracer.fault("a bound is missing");
  if (first.kind === "constant" && end.kind === "constant" && step.kind === "constant") {
    const [a, b, by] = [first, end, step].map(({ constant: { data } }) => data[0] as number) as [
      number,
      number,
      number,
    ];
    const count = Math.max(0, Math.ceil((b - a) / by));
    return [
      constant(
        [count],
        Array.from({ length: count }, (_, i) => a + i * by),
      ),
    ];
  }
  const [a, b, by] = [first, end, step].map((value) => tracer.sizes(value)[0] as Polynomial) as [
    Polynomial,
    Polynomial,
    Polynomial,
  ];
  if (numberOf(a) !== 0 || numberOf(by) !== 1) throw tracer.fault("a range that does not count from 0");
  return [tracer.append({ op: "count" }, [b])];
};

/** alpha a b + beta c, with factors transposed as stated. */
const gemm: Handler = (tracer, [a, b, c], node) => {
  if (a?.kind !== "tensor" || b?.kind !== "constant") throw tracer.fault("Gemm of other than activations and weights");
  const number = (name: string, otherwise: number): number => numberAttribute(node, name, otherwise);
  if (number("transA", 0) !== 0) throw tracer.fault("Gemm with its first factor transposed");
  const [rows, columns] = b.constant.shape as [number, number];
  const alpha = number("alpha", 1);
  const isTransposed = number("transB", 0) !== 0;
  const [k, n] = isTransposed ? [columns, rows] : [rows, columns];
  const weights = constant(
    [k, n],
    Float64Array.from({ length: k * n }, (_, i) => {
      const [at, column] = [Math.floor(i / n), i % n];
      return alpha * (b.constant.data[isTransposed ? column * k + at : i] as number);
    }),
  );
  const [sums] = product(tracer, [a, weights], node) as [Traced];
  if (c === undefined) return [sums];
  if (number("beta", 1) !== 1) throw tracer.fault("Gemm with a scaled bias");
  return binary("Add")(tracer, [sums, c], node);
};

const mean: Handler = (tracer, [x, given], node) => {
  if (x === undefined) throw tracer.fault("the operand is missing");
  const shape = shapeOf(x);
  const axes = integersAttribute(node, "axes") ?? (given?.kind === "constant" ? Array.from(given.constant.data) : []);
  const axis = fromFirst(axes[0] ?? 0, shape.length);
  if (axes.length !== 1) throw tracer.fault(`a mean over ${axes.length === 0 ? "all" : "several"} axes`);
  const rest = shape.filter((_, i) => i !== axis);
  const strides = stridesOf(shape);
  const read = {
    start: fromNumber(0),
    strides: [...strides.filter((_, i) => i !== axis), strides[axis] as Polynomial],
  };
  const isLast = axis === shape.length - 1;
  const last = isLast ? x : moved(tracer, x, [...rest, shape[axis] as Polynomial], read);
  const result = tracer.append({ op: "mean", input: tracer.tensor(last) }, rest);
  const kept = shape.map((size, i) => (i === axis ? ONE : size));
  return [numberAttribute(node, "keepdims", 1) === 0 ? result : tracer.reshape(result, kept)];
};

/** Numbers stay as they are: integers and conditions that a run computes are real numbers too. */
const cast: Handler = (tracer, [x], node) => {
  if (x === undefined) throw tracer.fault("the operand is missing");
  const to = numberAttribute(node, "to", 0);
  if (to === BOOL) {
    const [isZero] = binary("Equal")(tracer, [x, constant([], [0])], node) as [Traced];
    return unary("Not")(tracer, [isZero], node);
  }
  const isInteger = INTEGER_TYPES.has(to);
  if (
    x.kind === "tensor" &&
    isInteger &&
    !tracer.isInteger(node.input[0] ?? "") &&
    !tracer.isCondition(node.input[0] ?? "")
  ) {
    throw tracer.fault("numbers that a run computes are cut to integers");
  }
  if (x.kind !== "constant" || !isInteger) return [x];
  return [{ kind: "constant", constant: { shape: x.constant.shape, data: x.constant.data.map(Math.trunc) } }];
};

/** Of ONNX's element types. */
export const UNKNOWN_TYPE = 0;
export const BOOL = 9;
export const INTEGER_TYPES: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 12, 13]);

export const ARITHMETIC: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(Object.keys(BINARY).map((name) => [name, binary(name)])),
  ...Object.fromEntries([...Object.keys(UNARY), "Floor"].map((name) => [name, unary(name)])),
  MatMul: product,
  Gemm: gemm,
  ReduceMean: mean,
  Cast: cast,
  Where: select,
  Range: range,
};
