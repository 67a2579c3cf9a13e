// How large the named sizes of a network may be, and the integers that its inputs of ids and masks hold: from the tables they reach into, not
// from options.

import { fromNumber, type NamedSize, numberOf, type Polynomial } from "../../program/index.ts";
import type { Network, Operator, Piece, Shape } from "../trace/network.ts";
import { readersOf } from "./detours.ts";

/** An attention's row has at most so many: sums of its 7-bit weights and 8-bit values stay within 24 bits. */
const LONGEST_ROW = 1024;
/** Of sizes that nothing bounds: batches. */
const LARGEST_SIZE = 1024;

/** Bounds of the sizes that the inputs' shapes name: at least 1, at most what tables, masks and rows allow. */
export function sizesOf(network: Network): readonly NamedSize[] {
  const names = new Set(network.inputs.flatMap((input) => (network.shapes[input] as Shape).flatMap(nameOf)));
  return [...names].map((name) => ({ name, least: 1, most: largestSize(network, name) }));
}

/** Longest row of a Softmax or a mean within these bounds, at least 1. */
export function longestRow({ operators, shapes }: Network, sizes: readonly NamedSize[]): number {
  const most = Object.fromEntries(sizes.map(({ name, most }) => [name, most]));
  return operators.reduce((longest, operator) => {
    const row = operator.op === "softmax" || operator.op === "mean" ? shapes[operator.input]?.at(-1) : undefined;
    return row === undefined ? longest : Math.max(longest, valueIn(row, most));
  }, 1);
}

function nameOf(size: Polynomial): string[] {
  const [term] = [...size.keys()];
  return size.size === 1 && term !== undefined && term !== "" && numberOf(size) === null ? [term] : [];
}

function valueIn(size: Polynomial, values: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const [names, factor] of size) {
    sum += names === "" ? factor : names.split("*").reduce((product, name) => product * (values[name] ?? 1), factor);
  }
  return sum;
}

/** The largest value of one size, the others at 1, with which everything stays inside its tables and rows. */
function largestSize(network: Network, name: string): number {
  const fits = (size: number): boolean => limits(network).every((limit) => limit({ [name]: size }));
  let [inside, outside] = [1, LARGEST_SIZE + 1];
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (fits(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

type Limit = (values: Readonly<Record<string, number>>) => boolean;

function limits(network: Network): readonly Limit[] {
  const byResult = new Map(network.operators.map((operator) => [operator.result, operator]));
  return network.operators.flatMap((operator): readonly Limit[] => {
    switch (operator.op) {
      case "move":
        return operator.pieces.flatMap((piece) => pieceLimit(network, piece));
      case "gather":
        return gatherLimit(network, operator, byResult);
      case "softmax":
      case "mean": {
        const row = network.shapes[operator.input]?.at(-1) ?? fromNumber(1);
        return numberOf(row) === null ? [(values) => valueIn(row, values) <= LONGEST_ROW] : [];
      }
      default:
        return [];
    }
  });
}

/** A part of a constant lies inside it. */
function pieceLimit({ constants }: Network, { from, box, read }: Piece): readonly Limit[] {
  const constant = constants[from];
  if (constant === undefined) return [];
  return [
    (values) => {
      const last = box.reduce(
        (sum, extent, axis) => {
          return sum + (valueIn(extent, values) - 1) * valueIn(read.strides[axis] as Polynomial, values);
        },
        valueIn(read.start, values),
      );
      return last < constant.data.length;
    },
  ];
}

/** Positions that are counted are rows of their table. */
function gatherLimit(
  { constants, shapes }: Network,
  { table, ids }: Extract<Operator, { op: "gather" }>,
  byResult: ReadonlyMap<string, Operator>,
): readonly Limit[] {
  const rows = constants[table]?.shape[0];
  let operator = byResult.get(ids);
  while (operator?.op === "reshape") operator = byResult.get(operator.input);
  if (rows === undefined || operator?.op !== "count") return [];
  const count = shapes[operator.result]?.[0] ?? fromNumber(1);
  return [(values) => valueIn(count, values) <= rows];
}

/**
 * The largest integer of an input: the last row of the smallest table that it chooses rows of. Masks, which choose none, are 0 and 1. What only
 * conditions and sums read is a mask.
 */
export function largestCodeOf(network: Network, input: string): number {
  const readers = readersOf(network);
  const rows: number[] = [];
  const visit = (tensor: string): void => {
    for (const operator of readers.get(tensor) ?? []) {
      if (operator.op === "reshape" || operator.op === "move") visit(operator.result);
      if (operator.op === "gather" && operator.ids === tensor) {
        const count = network.constants[operator.table]?.shape[0];
        if (count !== undefined) rows.push(count);
      }
    }
  };
  visit(input);
  return rows.length === 0 ? 1 : rows.reduce((least, count) => Math.min(least, count)) - 1;
}
