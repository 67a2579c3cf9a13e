// The worst errors among very many outputs: whole blocks are compared with a line near the function, single inputs with the function
// itself only where that leaves open whether they are worse than what is known. Every `upper` holds for every input judged.

import type { Fn } from "../fn/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { MEASURES, weightsOf } from "./interval.ts";
import { leastSize, type NearLine, nearLine } from "./near-line.ts";
import { type Reference, referenceOf } from "./reference.ts";
import type { Certificate, ErrorBound, Measure } from "./types.ts";
import { measureAt, type Weight } from "./worst.ts";

/** An error is looked for if it is worse by this share than the worst known; what is less than that worse is in `upper` only. */
const TOLERANCE = 2 ** -30;

/** Where one measure stands. */
interface Standing {
  readonly weight: Weight;
  lower: number;
  at: number | null;
  upper: number;
}

/** Inputs in order, all within one binade, and what a table answers. */
export interface Block {
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
  readonly count: number;
}

export class Judge {
  readonly #table: Table;
  readonly #reference: Reference;
  readonly #standings: Readonly<Record<Measure, Standing>>;
  /** How many inputs the function has been evaluated at to tell their error. */
  evaluated = 0;

  /** The search for worse errors starts from those that the certificate attains. */
  constructor(table: Table, fn: Fn, certificate: Certificate) {
    this.#table = table;
    this.#reference = referenceOf(fn);
    const weights = weightsOf(table.spec.output, certificate.relative.floor);
    const standing = (measure: Measure): Standing => {
      const { lower, at } = certificate[measure];
      return { weight: weights[measure], lower, at, upper: lower };
    };
    this.#standings = { absolute: standing("absolute"), relative: standing("relative"), ulp: standing("ulp") };
  }

  get worst(): Readonly<Record<Measure, ErrorBound>> {
    const bound = ({ upper, lower, at }: Standing): ErrorBound => ({ upper, lower, at });
    const { absolute, relative, ulp } = this.#standings;
    return { absolute: bound(absolute), relative: bound(relative), ulp: bound(ulp) };
  }

  /** Takes one block into account. @throws LutraError "infeasible" if an error in it is not finite */
  judge(block: Block): void {
    const [a, b] = [block.inputs[0] as number, block.inputs[block.count - 1] as number];
    const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
    const near = nearLine(this.#reference, lo, hi);
    const size = leastSize(near, lo, hi);
    const { largest, at } = largestGap(near, block);
    const open = MEASURES.filter((measure) => !this.#covers(measure, largest + near.error, size));
    if (open.length === 0) return;
    // The worst first: then most others need no look.
    this.#judgeOne(open, near, size, block, at);
    for (let i = 0; i < block.count; i++) {
      if (i !== at) this.#judgeOne(open, near, size, block, i);
    }
  }

  #judgeOne(measures: readonly Measure[], near: NearLine, size: number, { inputs, outputs }: Block, i: number): void {
    const x = inputs[i] as number;
    const bound = gapAt(near, x, outputs[i] as number) + near.error;
    const open = measures.filter((measure) => !this.#covers(measure, bound, size));
    if (open.length === 0) return;
    this.#checkOutput(x, outputs[i] as number);
    this.evaluated++;
    for (const measure of open) this.#measure(this.#standings[measure], x, bound, size);
  }

  /** Whether errors of at most `bound`, where |f| is at least `size`, are no worse than the worst known. If so, that is recorded. */
  #covers(measure: Measure, bound: number, size: number): boolean {
    const standing = this.#standings[measure];
    const weighted = weigh(standing, bound, size);
    if (!(weighted <= standing.lower * (1 + TOLERANCE))) return false;
    standing.upper = Math.max(standing.upper, weighted);
    return true;
  }

  /** At huge inputs the line near the function may know the error better than the function's own value tells it. */
  #measure(standing: Standing, x: number, bound: number, size: number): void {
    const question = { table: this.#table, reference: this.#reference, weight: standing.weight, side: "both" } as const;
    const { lower, upper } = measureAt(question, x);
    standing.upper = Math.max(standing.upper, Math.min(upper, weigh(standing, bound, size)));
    if (lower > standing.lower) {
      standing.lower = lower;
      standing.at = x;
    }
  }

  /** @throws Error if a fast loop does not say what the definition says: a defect of ours */
  #checkOutput(x: number, output: number): void {
    const defined = evaluate(this.#table, x);
    if (!Object.is(defined, output)) throw new Error(`the table answers ${defined} at ${x}, not ${output}`);
  }
}

/** An error of at most `bound` where |f| is at least `size`, weighted, from above. */
function weigh({ weight }: Standing, bound: number, size: number): number {
  return bound * weight(size) * (1 + 2 ** -49);
}

function gapAt({ slope, origin, offset }: NearLine, x: number, y: number): number {
  return Math.abs(y - slope * (x - origin) - offset);
}

/** The largest distance from the line and where in the block it is; NaN if an output is none. */
function largestGap(
  { slope, origin, offset }: NearLine,
  { inputs, outputs, count }: Block,
): { readonly largest: number; readonly at: number } {
  let largest = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const gap = Math.abs((outputs[i] as number) - slope * ((inputs[i] as number) - origin) - offset);
    if (gap <= largest) continue;
    largest = gap;
    at = i;
    if (Number.isNaN(gap)) break;
  }
  return { largest, at };
}
