// Where an input goes in a binary32 table: branch of every reduction, clamp, segment. Reductions are written from table/types.ts, not
// taken from evaluate(): the checker agrees with the definition (tested) without sharing it. The index rule itself is the table's.

import { exponentOf, MAX_BINARY32, MIN_NORMAL_BINARY32, powerOfTwo } from "../num/index.ts";
import { type Reduction, segmentCount, segmentOf, type Table } from "../table/index.ts";

/** One reduction step at one argument. */
export interface Step {
  /** Constant where the step is one smooth map; monotone in the argument. For octave, logarithm and exponential: the octave j. */
  readonly branch: number;
  /** The reduced argument; NaN where `constant` says the table is not asked at all. */
  readonly argument: number;
  /** The step's argument was clamped, or its answer does not depend on it: the rest sees one value only. */
  readonly constant: boolean;
}

/** exponential: the answer is 0 below this octave and infinite above the other. */
const EXPONENTIAL_OCTAVES = { lo: -126, hi: 127 } as const;

function reduceArgument(reduction: Reduction, x: number): Step {
  switch (reduction.by) {
    case "odd":
    case "even":
      return { branch: x < 0 ? 0 : 1, argument: Math.abs(x), constant: false };
    case "reflect":
    case "complement":
      return { branch: x > 0 ? 1 : 0, argument: -Math.abs(x), constant: false };
    case "octave":
      return splitMantissa(x, reduction.step);
    case "logarithm":
      return splitMantissa(x, 1);
    case "exponential": {
      const z = Math.fround(reduction.factor * x);
      const octave = Math.floor(z);
      if (octave < EXPONENTIAL_OCTAVES.lo || octave > EXPONENTIAL_OCTAVES.hi) {
        const branch = octave < 0 ? EXPONENTIAL_OCTAVES.lo - 1 : EXPONENTIAL_OCTAVES.hi + 1;
        return { branch, argument: Number.NaN, constant: true };
      }
      return { branch: octave, argument: Math.fround(z - octave), constant: false };
    }
    default:
      return reduction satisfies never;
  }
}

/** Octaves of normal binary32 are -126..127; a clamped input gets a branch of its own beyond them. */
const BELOW_NORMAL = -200;
const ABOVE_FINITE = 200;

function splitMantissa(x: number, step: 1 | 2): Step {
  const clamped = Math.min(MAX_BINARY32, Math.max(MIN_NORMAL_BINARY32, x));
  const octave = Math.floor(exponentOf(clamped) / step);
  const argument = clamped * powerOfTwo(-step * octave);
  if (x < MIN_NORMAL_BINARY32) return { branch: BELOW_NORMAL, argument, constant: true };
  if (x > MAX_BINARY32) return { branch: ABOVE_FINITE, argument, constant: true };
  return { branch: octave, argument, constant: false };
}

/** The octave a branch of `octave` or `logarithm` scales its answer by. */
export function octaveOf(branch: number, step: 1 | 2): number {
  if (branch === BELOW_NORMAL) return Math.floor(-126 / step);
  return branch === ABOVE_FINITE ? Math.floor(127 / step) : branch;
}

export interface Place {
  readonly steps: readonly Step[];
  /** The argument of the lines after reduction and clamp; NaN where a step answered by itself. */
  readonly argument: number;
  readonly clamped: boolean;
  /** -1 where a step answered by itself. */
  readonly segment: number;
}

/** The whole way of one input through a binary32 table. */
export function locate(table: Table, x: number): Place {
  const steps: Step[] = [];
  let t = x;
  for (const reduction of table.reductions) {
    const step = reduceArgument(reduction, t);
    steps.push(step);
    t = step.argument;
    if (Number.isNaN(t)) return { steps, argument: t, clamped: true, segment: -1 };
  }
  const argument = Math.min(table.clamp[1], Math.max(table.clamp[0], t));
  const clamped = t <= table.clamp[0] || t >= table.clamp[1];
  return { steps, argument, clamped, segment: segmentOf(table.index, segmentCount(table), argument) };
}

/**
 * A number equal for two inputs exactly if they take the same way, and then every input between them takes it too: each branch is
 * monotone in the step's argument, and so are the clamp and the segment, so each way is taken on one run of inputs.
 */
export function pathOf(table: Table, x: number): number {
  let t = x;
  let path = 0;
  for (const reduction of table.reductions) {
    const step = reduceArgument(reduction, t);
    path = path * 512 + (step.branch + 256);
    t = step.argument;
    if (Number.isNaN(t)) return -path - 1;
  }
  const [low, high] = table.clamp;
  if (t <= low || t >= high) {
    path = path * 4 + (t <= low ? 0 : 2);
    t = t <= low ? low : high;
  } else path = path * 4 + 1;
  const count = segmentCount(table);
  const way = path * count + segmentOf(table.index, count, t);
  if (!Number.isSafeInteger(way)) throw new RangeError("more reductions than a path can tell apart");
  return way;
}
