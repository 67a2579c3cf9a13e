// Reshapes that exporters leave around layers, undone: of a Softmax whose rows stay whole, of a reshape, of a tensor's own shape. So an attention
// is found whose probabilities go through one.

import { areSame, type Polynomial } from "../../program/index.ts";
import type { Network, Operator, Shape } from "../trace/network.ts";

/** The same network without them, and without operators that nobody reads. */
export function withoutDetours(network: Network): Network {
  const shapes: Record<string, Shape> = { ...network.shapes };
  const same = new Map<string, string>();
  const made = new Map<string, Operator>();
  const outputs = new Set(Object.values(network.outputs));
  const add = (operator: Operator): void => {
    made.set(operator.result, operator);
  };
  for (const given of network.operators) {
    const operator = renamed(given, (tensor) => same.get(tensor) ?? tensor);
    if (operator.op === "softmax") {
      const before = reshapeWithSameRows(made.get(operator.input), shapes);
      if (before === null) {
        add(operator);
        continue;
      }
      const rows = `${operator.result}.rows`;
      shapes[rows] = shapes[before] as Shape;
      add({ op: "softmax", input: before, result: rows });
      add({ op: "reshape", input: rows, result: operator.result });
    } else if (operator.op === "reshape") {
      const inner = made.get(operator.input);
      const input = inner?.op === "reshape" ? inner.input : operator.input;
      const isSame = areEqual(shapes[input], shapes[operator.result]) && !outputs.has(operator.result);
      if (isSame) same.set(operator.result, input);
      else add({ ...operator, input });
    } else add(operator);
  }
  return { ...network, shapes, operators: reachable([...made.values()], outputs) };
}

/** What a reshape that keeps the last axis was made of; null for other operators. */
function reshapeWithSameRows(operator: Operator | undefined, shapes: Network["shapes"]): string | null {
  if (operator?.op !== "reshape") return null;
  const [before, after] = [shapes[operator.input], shapes[operator.result]];
  const [row, same] = [before?.at(-1), after?.at(-1)];
  return row !== undefined && same !== undefined && (before?.length ?? 0) >= 2 && areSame(row, same)
    ? operator.input
    : null;
}

function areEqual(a: Shape | undefined, b: Shape | undefined): boolean {
  return a?.length === b?.length && a !== undefined && a.every((size, i) => areSame(size, b?.[i] as Polynomial));
}

/** In their order. */
function reachable(operators: readonly Operator[], outputs: ReadonlySet<string>): readonly Operator[] {
  const read = new Set(outputs);
  const kept = operators.toReversed().filter((operator) => {
    if (!read.has(operator.result)) return false;
    for (const tensor of readsOf(operator)) read.add(tensor);
    return true;
  });
  return kept.reverse();
}

/** The tensors that an operator reads. */
function readsOf(operator: Operator): readonly string[] {
  switch (operator.op) {
    case "product":
    case "binary":
      return [operator.a, operator.b];
    case "function":
    case "softmax":
    case "reshape":
    case "mean":
      return [operator.input];
    case "norm":
      return [operator.input, operator.gamma, operator.beta].filter((name) => name !== null);
    case "gather":
      return [operator.table, operator.ids];
    case "select":
      return [operator.condition, operator.a, operator.b];
    case "move":
      return operator.pieces.map(({ from }) => from);
    case "count":
      return [];
    default:
      return operator satisfies never;
  }
}

/** The operator with other names for the tensors that it reads, but for constants of norms and tables. */
function renamed(operator: Operator, name: (tensor: string) => string): Operator {
  switch (operator.op) {
    case "product":
    case "binary":
      return { ...operator, a: name(operator.a), b: name(operator.b) };
    case "function":
    case "softmax":
    case "reshape":
    case "mean":
    case "norm":
      return { ...operator, input: name(operator.input) };
    case "gather":
      return { ...operator, ids: name(operator.ids) };
    case "select":
      return { ...operator, condition: name(operator.condition), a: name(operator.a), b: name(operator.b) };
    case "move":
      return { ...operator, pieces: operator.pieces.map((piece) => ({ ...piece, from: name(piece.from) })) };
    case "count":
      return operator;
    default:
      return operator satisfies never;
  }
}

/** The operators that read each tensor, once for each operand. */
export function readersOf({ operators }: Network): ReadonlyMap<string, readonly Operator[]> {
  const readers = new Map<string, Operator[]>();
  for (const operator of operators) {
    for (const tensor of readsOf(operator)) readers.set(tensor, [...(readers.get(tensor) ?? []), operator]);
  }
  return readers;
}
