// Which tensors of a network a lowering asks the numbers of, and for what: what calibration has to look at. Scores of an attention, and what
// reshapes and moves give, are not among them.

import type { Network, Operator } from "../trace/network.ts";

/** Tensors by name; true where one is held in 8 bits somewhere, false where sums of 16 are all that is made of it. */
export function askedOf(network: Network): ReadonlyMap<string, boolean> {
  const walk = new Walk(network);
  for (const tensor of Object.values(network.outputs)) walk.visit(tensor, false);
  return walk.tensors;
}

class Walk {
  readonly tensors = new Map<string, boolean>();
  readonly #network: Network;
  readonly #operators: ReadonlyMap<string, Operator>;
  readonly #visited = new Set<string>();

  constructor(network: Network) {
    this.#network = network;
    this.#operators = new Map(network.operators.map((operator) => [operator.result, operator]));
  }

  visit(tensor: string, isNarrow: boolean): void {
    const key = `${isNarrow} ${tensor}`;
    if (this.#isConstant(tensor) || this.#visited.has(key)) return;
    this.#visited.add(key);
    const operator = this.#operators.get(tensor);
    if (operator?.op !== "reshape" && operator?.op !== "move") {
      this.tensors.set(tensor, isNarrow || this.tensors.get(tensor) === true);
    }
    if (operator !== undefined) this.#operands(operator, isNarrow);
  }

  #operands(operator: Operator, isNarrow: boolean): void {
    switch (operator.op) {
      case "reshape":
        this.visit(operator.input, isNarrow);
        break;
      case "move":
        for (const { from } of operator.pieces) this.visit(from, isNarrow);
        break;
      case "product":
        if (this.#operators.get(operator.a)?.op === "softmax") this.#scores(operator.a);
        else this.visit(operator.a, true);
        this.visit(operator.b, true);
        break;
      case "softmax":
        this.#scores(operator.result);
        break;
      case "function":
        this.visit(operator.input, true);
        break;
      case "norm":
      case "mean":
        this.visit(operator.input, false);
        break;
      case "binary":
        this.#binary(operator, isNarrow);
        break;
      default:
        break;
    }
  }

  #binary({ fn, a, b }: Extract<Operator, { op: "binary" }>, isNarrow: boolean): void {
    for (const [tensor, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const operator = this.#operators.get(tensor);
      // A bias belongs to its product, and one number to the scale of what it multiplies.
      if (fn === "add" && operator?.op === "product" && this.#isConstant(other)) this.#operands(operator, true);
      else if (this.#network.constants[other]?.data.length === 1 && fn !== "add") this.visit(tensor, isNarrow);
      else this.visit(tensor, fn === "mul" && !this.#isKnown(other));
    }
  }

  /** From a Softmax, or what leads to one, back to queries and keys. */
  #scores(tensor: string): void {
    const operator = this.#operators.get(tensor);
    if (operator === undefined || this.#visited.has(`scores ${tensor}`)) return;
    this.#visited.add(`scores ${tensor}`);
    if (operator.op === "softmax") this.#scores(operator.input);
    if (operator.op === "product") {
      this.visit(operator.a, true);
      this.visit(operator.b, true);
    }
    if (operator.op === "binary" || operator.op === "select") {
      this.#scores(operator.a);
      this.#scores(operator.b);
    }
  }

  /** Constants, and what reshapes and moves make of them. */
  #isKnown(tensor: string): boolean {
    const operator = this.#operators.get(tensor);
    if (operator?.op === "reshape") return this.#isKnown(operator.input);
    if (operator?.op === "move") return operator.pieces.every(({ from }) => this.#isKnown(from));
    return this.#isConstant(tensor);
  }

  #isConstant(tensor: string): boolean {
    return this.#network.constants[tensor] !== undefined;
  }
}
