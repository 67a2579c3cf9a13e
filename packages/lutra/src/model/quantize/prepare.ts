// A network made easier to quantize, its answers unchanged: factors behind a norm go into its gamma, and a product whose columns go different
// ways (queries, keys and values of one matrix) becomes one product for each way, with formats of its own.

import { areSame, numberOf, type Polynomial } from "../../program/index.ts";
import type { Constant, Network, Operator, Place, Shape } from "../trace/network.ts";
import { stridesOf, whole } from "../trace/tracer.ts";
import { withTables } from "./codes.ts";
import { readersOf, withoutDetours } from "./detours.ts";

type Product = Extract<Operator, { op: "product" }>;
type Binary = Extract<Operator, { op: "binary" }>;
type Move = Extract<Operator, { op: "move" }>;

export function prepare(network: Network): Network {
  return splitProducts(withFactorsInGamma(withoutDetours(withTables(network))));
}

function isOutput({ outputs }: Network, tensor: string): boolean {
  return Object.values(outputs).includes(tensor);
}

// gamma ---------------------------------------------------------------------------------------------------------------

/** x / deviation * gamma * factors is one norm, if nobody else reads it. */
function withFactorsInGamma(network: Network): Network {
  const readers = readersOf(network);
  const constants: Record<string, Constant> = { ...network.constants };
  const gone = new Set<Operator>();
  const operators = network.operators.map((operator): Operator => {
    if (operator.op !== "norm" || isOutput(network, operator.result)) return operator;
    const [reader, ...others] = readers.get(operator.result) ?? [];
    if (reader?.op !== "binary" || reader.fn !== "mul" || others.length > 0) return operator;
    const factors = network.constants[reader.a === operator.result ? reader.b : reader.a];
    const columns = numberOf((network.shapes[operator.result] as Shape).at(-1) as Polynomial);
    if (factors === undefined || columns === null || !isPerColumn(factors, columns)) return operator;
    const scaled = (name: string | null, otherwise: number, part: string): string => {
      const own = name === null ? undefined : network.constants[name];
      const data = Float64Array.from({ length: columns }, (_, i) => {
        return (own === undefined ? otherwise : at(own, i)) * at(factors, i);
      });
      constants[`${reader.result}.${part}`] = { shape: [columns], data };
      return `${reader.result}.${part}`;
    };
    gone.add(reader);
    const beta = operator.beta === null ? null : scaled(operator.beta, 0, "beta");
    return { ...operator, gamma: scaled(operator.gamma, 1, "gamma"), beta, result: reader.result };
  });
  return { ...network, constants, operators: operators.filter((operator) => !gone.has(operator)) };
}

/** Of a constant that is one number or one for each column. */
function at({ data }: Constant, column: number): number {
  return data[data.length === 1 ? 0 : column] as number;
}

function isPerColumn({ shape, data }: Constant, columns: number): boolean {
  return data.length === 1 || (data.length === columns && shape.at(-1) === columns);
}

// columns that go different ways --------------------------------------------------------------------------------------

/** Columns of a product with weights, and the move that takes them. */
interface Slice {
  readonly move: Move;
  readonly start: number;
  readonly count: number;
}

function splitProducts(network: Network): Network {
  const readers = readersOf(network);
  const constants: Record<string, Constant> = { ...network.constants };
  const shapes: Record<string, Shape> = { ...network.shapes };
  const gone = new Set<Operator>();
  const operators = network.operators.flatMap((operator): readonly Operator[] => {
    if (operator.op !== "product" || isOutput(network, operator.result)) return [operator];
    const weights = network.constants[operator.b];
    const bias = biasBehind(network, operator, readers);
    const slices = slicesOf(network, bias?.add.result ?? operator.result, readers);
    if (weights?.shape.length !== 2 || slices === null) return [operator];
    if (bias !== null) gone.add(bias.add);
    return slices.flatMap(({ move, start, count }) => {
      gone.add(move);
      constants[`${move.result}.weights`] = columnsOf(weights, start, count);
      const product: Product = { ...operator, b: `${move.result}.weights`, result: `${move.result}.sums` };
      if (bias === null) return [{ ...product, result: move.result }];
      shapes[product.result] = shapes[move.result] as Shape;
      constants[`${move.result}.bias`] = columnsOf(bias.constant, start, count);
      const add: Binary = { op: "binary", fn: "add", a: product.result, b: `${move.result}.bias`, result: move.result };
      return [product, add];
    });
  });
  return { ...network, constants, shapes, operators: operators.filter((operator) => !gone.has(operator)) };
}

/** The sum with a constant for each column, where nobody else reads the product. */
function biasBehind(
  network: Network,
  { result }: Product,
  readers: ReadonlyMap<string, readonly Operator[]>,
): { readonly add: Binary; readonly constant: Constant } | null {
  const [add, ...others] = readers.get(result) ?? [];
  if (add?.op !== "binary" || add.fn !== "add" || others.length > 0) return null;
  const constant = network.constants[add.a === result ? add.b : add.a];
  const columns = numberOf((network.shapes[result] as Shape).at(-1) as Polynomial);
  return constant !== undefined && columns !== null && isPerColumn(constant, columns) ? { add, constant } : null;
}

/** The moves that read a tensor, if each takes whole columns and there are several; null otherwise. */
function slicesOf(
  network: Network,
  tensor: string,
  readers: ReadonlyMap<string, readonly Operator[]>,
): readonly Slice[] | null {
  const all = readers.get(tensor) ?? [];
  if (all.length < 2 || isOutput(network, tensor)) return null;
  const slices = all.map((reader) => (reader.op === "move" ? sliceOf(network, tensor, reader) : null));
  return slices.every((slice) => slice !== null) ? slices : null;
}

function sliceOf({ shapes }: Network, tensor: string, move: Move): Slice | null {
  const [piece, ...others] = move.pieces;
  const [shape, result] = [shapes[tensor] as Shape, shapes[move.result] as Shape];
  if (piece === undefined || others.length > 0 || result.length !== shape.length) return null;
  const [start, count] = [numberOf(piece.read.start), numberOf(result.at(-1) as Polynomial)];
  const isRows = areEqual(result.slice(0, -1), shape.slice(0, -1)) && areEqual(piece.box, result);
  const isWhole = areEqual(piece.read.strides, stridesOf(shape)) && isSamePlace(piece.write, whole(result));
  const columns = numberOf(shape.at(-1) as Polynomial);
  if (start === null || count === null || columns === null || start + count > columns) return null;
  return isRows && isWhole ? { move, start, count } : null;
}

function isSamePlace(a: Place, b: Place): boolean {
  return areSame(a.start, b.start) && areEqual(a.strides, b.strides);
}

function areEqual(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => areSame(size, b[i] as Polynomial));
}

/** Some columns of a matrix or a vector; one number is that of all columns. */
function columnsOf({ shape, data }: Constant, start: number, count: number): Constant {
  if (data.length === 1) return { shape, data };
  const columns = shape.at(-1) as number;
  const rows = data.length / columns;
  const kept = Float64Array.from({ length: rows * count }, (_, i) => {
    return data[Math.floor(i / count) * columns + start + (i % count)] as number;
  });
  return { shape: [...shape.slice(0, -1), count], data: kept };
}
