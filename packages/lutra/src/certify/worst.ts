// The largest weighted error of a table over its pieces: proven from above by splitting where it may be largest, attained from below by
// evaluating the table there. weight(|f|) * |delivered - f|; weights do not increase with |f|.

import { LutraError, type Work } from "../base/index.ts";
import { fromOrdered32, iv, nextUp32, toOrdered32 } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { type Extremes, extremes, middleOf } from "./bound.ts";
import { type Piece, pieceOf } from "./pieces.ts";
import type { Reference } from "./reference.ts";
import type { ErrorBound } from "./types.ts";

/** Weight of an error where |f| has this size; never increasing. */
export type Weight = (size: number) => number;

/** What is asked about a table. */
export interface Question {
  readonly table: Table;
  readonly reference: Reference;
  readonly weight: Weight;
  /** Which errors count: delivered - f where positive ("above"), where negative ("below"), or either. */
  readonly side: "above" | "below" | "both";
  /** For progress: "absolute". */
  readonly name: string;
}

/** A piece with the extremes of its line minus f, without rounding. */
export interface BoundedPiece {
  readonly piece: Piece;
  readonly extremes: Extremes;
}

// All of these trade tightness for time; a bound that is left open stays in `upper`.

/** Splitting stops when the bound is this near to the attained error, rounding aside: the third digit of a certificate. */
const TOLERANCE = 2 ** -10;
const MAX_ROUNDS = 40;
/**
 * ... or when the bound is this share of the function: 16 ulps of binary64. A table that is exact where the function is a line attains
 * nothing that the first rule could compare with. Values below the second are as good as 0.
 */
const NOISE = 2 ** -48;
const VANISHING = 2 ** -1000;
/** Runs of at most this many inputs are enumerated. */
const FEW_INPUTS = 8;
/** Neighbours tried on each side of the best candidates at the end: rounding varies from input to input. */
const NEIGHBOURS = 64;
const CANDIDATES = 16;
/** More open intervals than this are not split further: the bound stays sound, only less tight. */
const MAX_OPEN = 1 << 17;

interface Node {
  readonly lo: number;
  readonly hi: number;
  /** Bound on the weighted error inside, rounding included, the part that is rounding, and what binary64 can hardly tell from 0. */
  readonly upper: number;
  readonly rounding: number;
  readonly noise: number;
  /** The weight varies by at most a factor of 2 inside. */
  readonly evenWeight: boolean;
  /** Where it may be reached. */
  readonly at: number;
}

/**
 * The largest weighted error over all pieces.
 * @throws LutraError "infeasible" where it is not finite
 */
export function* worstOf(question: Question, bounded: readonly BoundedPiece[]): Work<ErrorBound> {
  const search = new Search(question);
  let open = bounded.map(({ piece, extremes: e }) => search.node(piece, e));
  let closed = 0;
  const last: Node[] = [];
  for (let round = 0; open.length > 0; round++) {
    yield { stage: `proving the ${question.name} error`, done: round, total: MAX_ROUNDS };
    for (const node of open) search.probe(node);
    const limit = search.best.lower * (1 + TOLERANCE);
    const done = round >= MAX_ROUNDS || open.length > MAX_OPEN;
    const next: Node[] = [];
    for (const node of open) {
      if (node.upper <= search.best.lower) continue;
      const enough = Math.max(isNarrow(node) ? limit + 2 * node.rounding : limit, node.noise);
      if (done || node.upper <= enough) {
        closed = Math.max(closed, node.upper);
        last.push(node);
      } else next.push(node);
    }
    open = next.flatMap((node) => search.split(node));
  }
  search.searchNeighbours(last);
  return { ...search.best, upper: Math.max(closed, search.exactUpper, search.best.lower) };
}

/** Splitting further would not tighten the rounding bound: it is a small part, or input and weight keep their order of magnitude. */
function isNarrow({ lo, hi, upper, rounding, evenWeight }: Node): boolean {
  if (rounding <= upper / 16) return true;
  return evenWeight && Math.max(Math.abs(lo), Math.abs(hi)) <= 2 * Math.min(Math.abs(lo), Math.abs(hi));
}

class Search {
  readonly #question: Question;
  best: { lower: number; at: number | null } = { lower: 0, at: null };
  /** Bound over the inputs that were enumerated instead of proven. */
  exactUpper = 0;

  constructor(question: Question) {
    this.#question = question;
  }

  node(piece: Piece, e: Extremes): Node {
    const { first: lo, last: hi } = piece;
    const { fn } = this.#question.reference;
    const range = fn.enclose({ lo, hi });
    const weight = this.#question.weight(iv.mignitude(range));
    const largest = iv.magnitude(range);
    const evenWeight = weight <= 2 * this.#question.weight(largest);
    const above = this.#question.side === "below" ? 0 : Math.max(0, e.max);
    const below = this.#question.side === "above" ? 0 : Math.max(0, -e.min);
    const size = Math.max(above, below);
    const upper = (size + piece.rounding) * weight * (1 + 2 ** -50);
    if (!(upper < Infinity)) throw unbounded(fn.text, lo, hi);
    const [rounding, noise] = [piece.rounding * weight, (largest + VANISHING) * NOISE * weight];
    return { lo, hi, upper, rounding, noise, evenWeight, at: below > above ? e.argMin : e.argMax };
  }

  /** Evaluates the table at a node's ends, where its extreme may be, and at 0. */
  probe({ lo, hi, at, upper }: Node): void {
    if (upper <= this.best.lower) return;
    this.measure(lo);
    this.measure(hi);
    const inside = Math.fround(at);
    if (inside > lo && inside < hi) this.measure(inside);
    // Where most functions have their root, if any: there an error counts most.
    if (lo < 0 && hi > 0) this.measure(0);
  }

  /** The error delivered at one input: records it if it is the worst so far; returns what it is at most. */
  measure(x: number): number {
    const { lower, upper } = measureAt(this.#question, x);
    if (lower > this.best.lower || this.best.at === null) this.best = { lower, at: x };
    return upper;
  }

  split(node: Node): Node[] {
    const { lo, hi } = node;
    const first = toOrdered32(lo);
    const count = toOrdered32(hi) - first + 1;
    if (count <= FEW_INPUTS) {
      for (let key = first; key < first + count; key++) {
        this.exactUpper = Math.max(this.exactUpper, this.measure(fromOrdered32(key)));
      }
      return [];
    }
    const middle = Math.max(lo, Math.min(Math.fround(middleOf(lo, hi)), fromOrdered32(first + count - 2)));
    return [this.#part(lo, middle), this.#part(nextUp32(middle), hi)];
  }

  /** Part of a piece, its rounding analysed anew. */
  #part(lo: number, hi: number): Node {
    const piece = pieceOf(this.#question.table, lo, hi);
    return this.node(piece, extremes(piece, this.#question.reference, lo, hi));
  }

  searchNeighbours(nodes: Node[]): void {
    nodes.sort((a, b) => b.upper - a.upper);
    const { at } = this.best;
    if (at !== null) {
      const piece = nodes.find(({ lo, hi }) => lo <= at && at <= hi);
      this.#around(at, piece?.lo ?? at, piece?.hi ?? at);
    }
    for (const { at: candidate, lo, hi } of nodes.slice(0, CANDIDATES)) this.#around(candidate, lo, hi);
  }

  #around(x: number, lo: number, hi: number): void {
    const centre = toOrdered32(Math.fround(x));
    const from = Math.max(toOrdered32(lo), centre - NEIGHBOURS);
    const to = Math.min(toOrdered32(hi), centre + NEIGHBOURS);
    for (let key = from; key <= to; key++) this.measure(fromOrdered32(key));
  }
}

/**
 * Between what the weighted error delivered at one input lies.
 * @throws LutraError "infeasible" if it is not finite
 */
export function measureAt(
  { table, reference: { fn }, weight, side }: Omit<Question, "name">,
  x: number,
): { readonly lower: number; readonly upper: number } {
  const exact = fn.evaluate(x);
  const delivered = evaluate(table, x);
  const doubt = fn.errorAt(x);
  const signed = delivered - exact;
  const difference = side === "both" ? Math.abs(signed) : side === "above" ? Math.max(0, signed) : Math.max(0, -signed);
  if (!(Math.abs(signed) < Infinity && doubt < Infinity)) throw notFinite(fn.text, x, exact, delivered);
  const lower = (difference * (1 - 2 ** -52) - doubt) * weight(Math.abs(exact) + doubt) * (1 - 2 ** -51);
  const least = Math.max(0, Math.abs(exact) - doubt);
  const upper = (difference * (1 + 2 ** -52) + doubt) * weight(least) * (1 + 2 ** -51);
  return { lower: Math.max(lower, 0), upper };
}

function notFinite(fn: string, x: number, exact: number, delivered: number): LutraError {
  return new LutraError(
    "infeasible",
    `the error at ${x} is not finite: ${fn} is ${exact}, the table answers ${delivered}`,
    {
      where: `input ${x}`,
      note: "narrow the domain to where the function is finite in the output format",
    },
  );
}

function unbounded(fn: string, lo: number, hi: number): LutraError {
  return new LutraError("infeasible", `the error of the table for ${fn} cannot be bounded on [${lo}, ${hi}]`, {
    where: `inputs ${lo} to ${hi}`,
    note: "narrow the domain to where the function and its derivative are finite",
  });
}
