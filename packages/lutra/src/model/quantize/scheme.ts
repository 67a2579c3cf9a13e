// A scheme: what is left to choose when a network becomes a program, and the program that it gives. The parts that differ between models are few:
// where ranges end, whether scales migrate, and which attentions need more bits.

import { LutraError } from "../../base/index.ts";
import { type NamedSize, numberOf, type Polynomial, type Program, verify } from "../../program/index.ts";
import type { Spec, Table } from "../../table/index.ts";
import type { Network, Operator } from "../trace/network.ts";
import type { Held } from "./context.ts";
import type { Role } from "./formats.ts";
import { lower } from "./lower.ts";
import { balancedColumns, migrate, seenBehind } from "./migration.ts";
import type { Observed } from "./observe.ts";
import { type RangeMethod, rangeFor, type Seen } from "./ranges.ts";
import { largestCodeOf, longestRow } from "./sizes.ts";

export interface Scheme {
  readonly ranges: RangeMethod;
  /** Strength of the scale migration; 0 for none. */
  readonly migration: number;
  /** Of inputs that only products with weights read: 8 bits, or 12. */
  readonly inputBits: 8 | 12;
  /** Of the products of gates where weights multiply them: 8 bits, or 12. */
  readonly gateBits: 8 | 12;
  /** Attentions, by the tensor of their scores, whose queries and keys have more bits than 7 and 8. */
  readonly wide: ReadonlySet<string>;
}

/** A tensor of a program and the tensor of the network whose numbers it holds. */
export interface HeldTensor extends Held {
  readonly network: string;
  readonly role: Role;
  /** The numbers are those of the network divided by this, for each column; null where they are the same. */
  readonly factors: Float64Array | null;
}

export interface Lowered {
  readonly program: Program;
  readonly held: readonly HeldTensor[];
}

/** Of the balance between an input's columns and the weights that take their scales in. */
const INPUT_STRENGTH = 0.5;

/**
 * The program of a network by a scheme, verified.
 * @param table the best table of a spec of 8 bits
 * @param allowFloat whether what has no integer form may be computed in binary32
 * @throws LutraError "unsupported" naming what has no integer form
 */
export function lowerBy(
  scheme: Scheme,
  network: Network,
  observed: Observed,
  sizes: readonly NamedSize[],
  table: (spec: Spec) => Table,
  allowFloat = false,
): Lowered {
  const migrated =
    scheme.migration === 0 ? { network, factors: new Map() } : migrate(network, observed, scheme.migration);
  const seen = (tensor: string): Seen => {
    const factors = migrated.factors.get(tensor);
    const columns = observed.columns.get(tensor);
    const found =
      factors !== undefined && columns !== undefined ? seenBehind(columns, factors) : observed.seen.get(tensor);
    return found ?? withoutSource(network, tensor);
  };
  const gates = gatesOf(network);
  const held: HeldTensor[] = [];
  const program = lower(migrated.network, {
    range: (tensor, role) => rangeFor(seen(tensor), role, scheme.ranges),
    columnRanges: (input) => balancedColumns(network, input, observed.columns.get(input) ?? [], INPUT_STRENGTH),
    largestCode: (input) => largestCodeOf(network, input),
    ...{ sizes, table, allowFloat },
    maxRow: longestRow(network, sizes),
    attention: (scores) => (scheme.wide.has(scores) ? wideRoles(network, scores) : ["seven", "even"]),
    weighed: (tensor) => (scheme.gateBits === 12 && gates.has(tensor) ? "twelve" : "byte"),
    weighedInput: () => (scheme.inputBits === 8 ? "even" : "twelve"),
    onHeld: (tensor, form, role) => {
      held.push({ ...form, network: tensor, role, factors: migrated.factors.get(tensor) ?? null });
    },
  });
  verify(program);
  return { program, held };
}

/** Probabilities are known; of other tensors that are no value of the model nothing is. */
function withoutSource({ operators, sources }: Network, tensor: string): Seen {
  const operator = operators.find(({ result }) => result === tensor);
  if (operator?.op === "softmax") return { lo: 0, hi: 1, histogram: null };
  throw new LutraError("unsupported", `calibration cannot see the numbers of ${sources[tensor] ?? tensor}`, {
    where: whereabouts(operator, sources) ?? tensor,
    note: "they are no value of the model's main graph",
  });
}

function whereabouts(operator: Operator | undefined, sources: Network["sources"]): string | undefined {
  return operator === undefined || !("input" in operator) ? undefined : sources[operator.input];
}

// attentions ----------------------------------------------------------------------------------------------------------

/** Sums of products of queries and keys, sign apart. */
const LARGEST_SUM_BITS = 24;
const ROLES: Readonly<Record<number, Role>> = { 9: "nine", 10: "ten", 11: "eleven", 12: "twelve" };

/** The scores of every attention: products of two tensors that lead to a Softmax, which is the first factor of another. */
export function attentionsOf({ operators, constants }: Network): readonly string[] {
  const byResult = new Map(operators.map((operator) => [operator.result, operator]));
  const scores = (tensor: string): string[] => {
    const operator = byResult.get(tensor);
    if (operator?.op === "product" && constants[operator.b] === undefined) return [tensor];
    return operator?.op === "binary" || operator?.op === "select" ? [...scores(operator.a), ...scores(operator.b)] : [];
  };
  return operators.flatMap((operator) => (operator.op === "softmax" ? scores(operator.input) : []));
}

/** As many bits, at most 12, as leave the sums of a head within 24: 11 and 12 for heads of 8, 10 and 10 for heads of 64. */
function wideRoles({ operators, shapes }: Network, scores: string): readonly [Role, Role] {
  const product = operators.find(({ result }) => result === scores);
  const head = product?.op === "product" ? numberOf(shapes[product.a]?.at(-1) as Polynomial) : null;
  if (head === null) return ["seven", "even"];
  const both = Math.min(24, LARGEST_SUM_BITS + 2 - (32 - Math.clz32(head - 1)));
  const [queries, keys] = [Math.floor(both / 2), Math.ceil(both / 2)];
  return [ROLES[queries] ?? "seven", ROLES[keys] ?? "even"];
}

/** Products of gates: of two tensors, and weights multiply them. Their outliers are products of outliers. */
export function gatesOf(network: Network): ReadonlySet<string> {
  const weighed = new Set(network.operators.flatMap((operator) => (operator.op === "product" ? [operator.a] : [])));
  const isGate = (operator: Operator): boolean =>
    operator.op === "binary" &&
    operator.fn === "mul" &&
    network.constants[operator.a] === undefined &&
    network.constants[operator.b] === undefined;
  return new Set(network.operators.filter(isGate).flatMap(({ result }) => (weighed.has(result) ? [result] : [])));
}
