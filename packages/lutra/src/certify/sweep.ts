// The loops over consecutive binary32 inputs, a block at a time: evaluate the table, digest what it answers, have it judged.

import type { Fn } from "../fn/index.ts";
import { encode, fromBits32, toOrdered32 } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { type Block, Judge } from "./judge.ts";
import { ANY_NAN, OutputDigest } from "./output-digest.ts";
import { runsOf } from "./pieces.ts";
import { evaluateStraight, type Straight, straightOf } from "./straight.ts";
import type { Certificate, Exhaustive } from "./types.ts";

/** Inputs at a time: they stay in the first cache, and a function is nearly a line on so few. Divides 2^23: no block spans binades. */
const BLOCK = 4096;

/** Inputs between two reports of progress. */
const STRETCH = 64 * BLOCK;

const SIGN = 0x80000000;
const INFINITE = 0x7f800000;

/** Bits of consecutive inputs of one sign. */
interface Run {
  readonly first: number;
  readonly last: number;
  /** Whether they have an error: infinities and NaNs have none. */
  readonly measured: boolean;
  /** Null where the definition is to be asked. */
  readonly straight: Straight | null;
}

export class Sweep {
  readonly #table: Table;
  readonly #judge: Judge;
  readonly #digest = new OutputDigest();
  readonly #inputBits = new Uint32Array(BLOCK);
  readonly #inputs = new Float32Array(this.#inputBits.buffer);
  readonly #outputs = new Float32Array(BLOCK);
  readonly #outputBits = new Uint32Array(this.#outputs.buffer);
  #unmeasured = 0;

  constructor(table: Table, fn: Fn, certificate: Certificate) {
    this.#table = table;
    this.#judge = new Judge(table, fn, certificate);
  }

  /** Visits the inputs with these bits, all of one sign; yields how many are done, now and then. */
  *visit(first: number, last: number): Generator<number, void, void> {
    for (const run of runsBetween(this.#table, first, last)) {
      for (let start = run.first; start <= run.last; ) {
        const end = Math.min(run.last, start - (start % STRETCH) + STRETCH - 1);
        this.#visitStretch(run, start, end);
        yield end - first + 1;
        start = end + 1;
      }
    }
  }

  /** A function of its own, no generator: the loops inside run a third faster than in one. */
  #visitStretch(run: Run, first: number, last: number): void {
    for (let start = first; start <= last; ) {
      const end = Math.min(last, start - (start % BLOCK) + BLOCK - 1);
      this.#visitBlock(run, start, end - start + 1);
      start = end + 1;
    }
  }

  found(): Pick<Exhaustive, "evaluated" | "unmeasured" | "worst" | "digest"> {
    const { evaluated, worst } = this.#judge;
    return { evaluated, unmeasured: this.#unmeasured, worst, digest: this.#digest.text() };
  }

  #visitBlock({ straight, measured }: Run, first: number, count: number): void {
    fillAscending(this.#inputBits, first, count);
    const block: Block = { inputs: this.#inputs, outputs: this.#outputs, count };
    if (straight === null) this.#evaluateByDefinition(count);
    else this.#evaluateStraight(straight, count);
    this.#digest.absorb(this.#outputBits, count);
    if (measured) this.#judge.judge(block);
    else this.#unmeasured += count;
  }

  #evaluateStraight(straight: Straight, count: number): void {
    evaluateStraight(straight, this.#inputs, this.#outputs, count);
    const { output } = this.#table.spec;
    if (output.kind === "float" && output.name === "binary32") return;
    for (let i = 0; i < count; i++) this.#outputs[i] = encode(output, this.#outputs[i] as number);
  }

  #evaluateByDefinition(count: number): void {
    for (let i = 0; i < count; i++) {
      const output = evaluate(this.#table, this.#inputs[i] as number);
      if (Number.isNaN(output)) this.#outputBits[i] = ANY_NAN;
      else this.#outputs[i] = output;
    }
  }
}

function fillAscending(bits: Uint32Array, first: number, count: number): void {
  // As signed integers, which is how engines add fastest.
  const start = first | 0;
  for (let i = 0; i < count; i++) bits[i] = (start + i) | 0;
}

/** Magnitudes that are treated alike: zero, which reductions may treat in its own way; finite numbers; infinity; NaNs. */
const CLASSES = [
  { from: 0, to: 0, finite: false, measured: true },
  { from: 1, to: INFINITE - 1, finite: true, measured: true },
  { from: INFINITE, to: INFINITE, finite: false, measured: false },
  { from: INFINITE + 1, to: SIGN - 1, finite: false, measured: false },
] as const;

function* runsBetween(table: Table, first: number, last: number): Generator<Run, void, void> {
  const sign = first >= SIGN ? SIGN : 0;
  for (const { from, to, finite, measured } of CLASSES) {
    const start = Math.max(first, sign + from);
    const end = Math.min(last, sign + to);
    if (start > end) continue;
    if (finite) yield* finiteRuns(table, start, end);
    else yield { first: start, last: end, measured, straight: null };
  }
}

/** The pieces of the table, in order of magnitude. */
function* finiteRuns(table: Table, first: number, last: number): Generator<Run, void, void> {
  const negative = first >= SIGN;
  const [a, b] = [toOrdered32(fromBits32(first)), toOrdered32(fromBits32(last))];
  const runs = negative ? runsOf(table, b, a).toReversed() : runsOf(table, a, b);
  for (const [low, high] of runs) {
    const straight = straightOf(table, fromBits32(negative ? SIGN - high : low));
    yield negative
      ? { first: SIGN - high, last: SIGN - low, measured: true, straight }
      : { first: low, last: high, measured: true, straight };
  }
}
