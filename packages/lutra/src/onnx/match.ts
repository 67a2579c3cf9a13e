// Searches a graph for a pattern. Products and sums are matched as a whole, however the exporter nested, ordered or spelled them: Div by
// a constant or Mul by its inverse, Pow 2 or Mul(x, x), Sub or Add of Neg. The search backtracks; MAX_STEPS bounds it. Only reads.

import type { NodeProto } from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { numberAttribute } from "./attribute.ts";
import type { Graph } from "./graph.ts";
import { isPerRow, type Part, type Pattern } from "./pattern.ts";
import { SPREADING } from "./spread.ts";

/** What a successful match found. */
export interface Match {
  /** Value names by the pattern's names. */
  readonly values: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  /** Of the reductions, negative; null if there are none. */
  readonly axes: readonly number[] | null;
  /** Every node of the pattern, constants left out. */
  readonly nodes: ReadonlySet<NodeProto>;
}

/** How far a constant in a model may be from the formula's, relatively: exporters write 6 digits (1.41421 is 2.5e-6 off). */
const CONSTANT_TOLERANCE = 2e-5;
/** Search steps for one pattern at one node; it also bounds the depth of the search. Real models need at most some 100. */
const MAX_STEPS = 1000;

const EMPTY: Match = { values: new Map(), numbers: new Map(), axes: null, nodes: new Set() };

/** Steps that all searches of one graph may take together. */
export interface Budget {
  left: number;
}

/**
 * All ways the pattern matches the computation of a value; stops without more after MAX_STEPS.
 * @throws LutraError "bad-model" when the budget is used up
 */
export function matches(graph: Graph, pattern: Pattern, valueName: string, budget: Budget): Generator<Match> {
  return new Search(graph, budget).match(pattern, valueName, EMPTY);
}

/** A value still to be explained by the parts of a product or sum. */
interface Leaf {
  readonly value: string;
  readonly inverted: boolean;
}

/** The parts one node multiplies or adds, and the constant it brings along. */
interface Expansion {
  readonly leaves: readonly Leaf[];
  readonly constant: number;
}

interface Chain {
  readonly goal: number | string;
  readonly neutral: number;
  readonly combine: (total: number, number: number, inverted: boolean) => number;
  readonly expand: (node: NodeProto, inverted: boolean) => Expansion | null;
}

class Search {
  private readonly graph: Graph;
  private readonly budget: Budget;
  private steps = 0;

  constructor(graph: Graph, budget: Budget) {
    this.graph = graph;
    this.budget = budget;
  }

  private isExhausted(): boolean {
    if (--this.budget.left < 0)
      throw new LutraError("bad-model", "the graph is too entangled to be searched for layers", {
        note: "Simplify the model (onnxsim), or report it.",
      });
    return ++this.steps > MAX_STEPS;
  }

  *match(pattern: Pattern, name: string, found: Match): Generator<Match> {
    if (this.isExhausted()) return;
    if (isComputation(pattern) && isPerRow(pattern)) {
      const node = this.graph.producer(name);
      if (node !== undefined && node.domain === "" && SPREADING.has(node.opType))
        yield* this.match(pattern, node.input[0] ?? "", withNode(found, node));
    }
    switch (pattern.is) {
      case "value":
        if (this.isData(name)) yield* bindValue(found, pattern.name, name);
        return;
      case "parameter":
        if (this.graph.constants.has(name)) yield* bindValue(found, pattern.name, name);
        return;
      case "constant": {
        const number = this.graph.constants.scalar(name);
        if (number !== null && (isClose(number, pattern.value) || (pattern.orBelow && number < pattern.value)))
          yield found;
        return;
      }
      case "operator":
        yield* this.matchOperator(pattern, name, found);
        return;
      case "reduce":
        yield* this.matchReduce(pattern, name, found);
        return;
      case "product":
      case "sum":
        yield* this.matchChain(pattern, name, found);
        return;
      case "either":
        for (const alternative of pattern.patterns) yield* this.match(alternative, name, found);
        return;
      case "named":
        if (found.values.get(pattern.name) === name) yield found;
        else
          for (const inner of this.match(pattern.pattern, name, found))
            yield inner.values.has(pattern.name) ? inner : withValue(inner, pattern.name, name);
        return;
      default:
        pattern satisfies never;
    }
  }

  private isData(name: string): boolean {
    return this.graph.maybeFloat32(name) && !this.graph.constants.has(name);
  }

  private *matchOperator(pattern: Extract<Pattern, { is: "operator" }>, name: string, found: Match): Generator<Match> {
    const node = this.graph.producer(name);
    if (node === undefined || node.domain !== "" || node.opType !== pattern.type) return;
    const asked = Object.entries(pattern.attributes);
    if (!asked.every(([key, wanted]) => isClose(numberAttribute(node, key, NaN), wanted))) return;
    yield* this.matchInputs(pattern.inputs, node, 0, withNode(found, node));
  }

  private *matchInputs(patterns: readonly Pattern[], node: NodeProto, index: number, found: Match): Generator<Match> {
    if (index === patterns.length) {
      if (node.input.slice(index).every((rest) => rest === "")) yield found;
      return;
    }
    for (const inner of this.match(patterns[index], node.input[index] ?? "", found))
      yield* this.matchInputs(patterns, node, index + 1, inner);
  }

  private *matchReduce(pattern: Extract<Pattern, { is: "reduce" }>, name: string, found: Match): Generator<Match> {
    const node = this.graph.producer(name);
    if (node === undefined || node.opType !== pattern.type) return;
    const axes = this.graph.reducedAxes(node);
    if (axes === null || (found.axes !== null && found.axes.join() !== axes.join())) return;
    yield* this.match(pattern.of, node.input[0] ?? "", { ...withNode(found, node), axes });
  }

  private *matchChain(
    pattern: Extract<Pattern, { is: "product" | "sum" }>,
    name: string,
    found: Match,
  ): Generator<Match> {
    const chain = pattern.is === "product" ? this.productChain(pattern.constant) : sumChain(pattern.constant);
    const node = this.graph.producer(name);
    const expansion = node === undefined ? null : chain.expand(node, false);
    if (node === undefined || expansion === null) return;
    const total = chain.combine(chain.neutral, expansion.constant, false);
    yield* this.explain(chain, expansion.leaves, pattern.parts, total, withNode(found, node));
  }

  /** Explains each leaf as a constant, as one of the parts, or by what its own node multiplies or adds. */
  private *explain(
    chain: Chain,
    leaves: readonly Leaf[],
    parts: readonly Part[],
    total: number,
    found: Match,
  ): Generator<Match> {
    if (this.isExhausted()) return;
    if (leaves.length === 0) {
      if (parts.length === 0) yield* bindNumber(found, chain.goal, total);
      return;
    }
    const [leaf, ...rest] = leaves;
    const number = this.graph.constants.scalar(leaf.value);
    if (number !== null) yield* this.explain(chain, rest, parts, chain.combine(total, number, leaf.inverted), found);
    for (let i = 0; i < parts.length; i++) {
      if (parts[i].inverted !== leaf.inverted) continue;
      const others = parts.toSpliced(i, 1);
      for (const inner of this.match(parts[i].pattern, leaf.value, found))
        yield* this.explain(chain, rest, others, total, inner);
    }
    const node = this.graph.producer(leaf.value);
    const expansion = node === undefined ? null : chain.expand(node, leaf.inverted);
    if (node === undefined || expansion === null) return;
    const pending = [...expansion.leaves, ...rest];
    const open = pending.filter((one) => this.graph.constants.scalar(one.value) === null).length;
    if (open > parts.length) return;
    yield* this.explain(chain, pending, parts, chain.combine(total, expansion.constant, false), withNode(found, node));
  }

  private productChain(goal: number | string): Chain {
    return {
      goal,
      neutral: 1,
      combine: (total, number, inverted) => (inverted ? total / number : total * number),
      expand: (node, inverted) => {
        const [a, b] = leavesOf(node, inverted);
        if (node.domain !== "" || a === undefined) return null;
        if (node.opType === "Neg") return { leaves: [a], constant: -1 };
        if (node.opType === "Reciprocal") return { leaves: [flip(a)], constant: 1 };
        if (b === undefined) return null;
        if (node.opType === "Mul") return { leaves: [a, b], constant: 1 };
        if (node.opType === "Div") return { leaves: [a, flip(b)], constant: 1 };
        const power = node.opType === "Pow" ? this.graph.constants.scalar(b.value) : null;
        return power === 2 || power === 3 ? { leaves: Array.from({ length: power }, () => a), constant: 1 } : null;
      },
    };
  }
}

function sumChain(goal: number | string): Chain {
  return {
    goal,
    neutral: 0,
    combine: (total, number, inverted) => (inverted ? total - number : total + number),
    expand: (node, inverted) => {
      const leaves = leavesOf(node, inverted);
      if (node.domain !== "" || leaves.length === 0) return null;
      if (node.opType === "Neg") return { leaves: leaves.map(flip), constant: 0 };
      if (node.opType === "Add" || node.opType === "Sum") return { leaves, constant: 0 };
      return node.opType === "Sub" ? { leaves: [leaves[0], ...leaves.slice(1).map(flip)], constant: 0 } : null;
    },
  };
}

function leavesOf(node: NodeProto, inverted: boolean): readonly Leaf[] {
  return node.input.map((name) => ({ value: name, inverted }));
}

function flip(leaf: Leaf): Leaf {
  return { value: leaf.value, inverted: !leaf.inverted };
}

function* bindValue(found: Match, key: string, name: string): Generator<Match> {
  const known = found.values.get(key);
  if (known === undefined) yield withValue(found, key, name);
  else if (known === name) yield found;
}

function* bindNumber(found: Match, goal: number | string, number: number): Generator<Match> {
  if (typeof goal === "number") {
    if (isClose(number, goal)) yield found;
    return;
  }
  const known = found.numbers.get(goal);
  if (known === undefined) yield { ...found, numbers: new Map(found.numbers).set(goal, number) };
  else if (isClose(known, number)) yield found;
}

/** Whether a node computes what the pattern says. */
function isComputation({ is }: Pattern): boolean {
  return is === "operator" || is === "reduce" || is === "product" || is === "sum";
}

function withValue(found: Match, key: string, name: string): Match {
  return { ...found, values: new Map(found.values).set(key, name) };
}

function withNode(found: Match, node: NodeProto): Match {
  return { ...found, nodes: new Set(found.nodes).add(node) };
}

function isClose(number: number, wanted: number): boolean {
  return Math.abs(number - wanted) <= CONSTANT_TOLERANCE * Math.abs(wanted);
}
