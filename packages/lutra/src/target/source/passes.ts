// A kernel of rows as passes over each row: its reductions in order, then the answers. What several passes need is computed anew in each, but
// for one value that the answers' own place can hold meanwhile.

import { type Kernel, laneRange, ranges, type Value } from "../../kernel/index.ts";

export interface Kept {
  readonly value: number;
  /** The reduction in whose pass it is computed and put into the output; later passes read it there. */
  readonly from: number;
}

/** The value and all that it is computed from, in order, without what lies behind a reduction or one of `known`. */
export function coneOf({ values }: Kernel, result: number, known: readonly number[] = []): readonly number[] {
  const found = new Set<number>();
  const visit = (i: number): void => {
    const value = values[i] as Value;
    if (found.has(i) || value.op === "reduce") return;
    found.add(i);
    if ("args" in value && !known.includes(i)) value.args.forEach(visit);
  };
  visit(result);
  return [...found].sort((a, b) => a - b);
}

/**
 * The value to keep, the one with most behind it: it takes a lookup, a later pass needs it, no later pass reads an input of elements besides
 * (the output may lie on that), and the output's lane holds it.
 */
export function keptValue(kernel: Kernel): Kept | null {
  const { values, results } = kernel;
  const result = results[0] as number;
  const reductions = values.flatMap(({ op }, i) => (op === "reduce" ? [i] : []));
  const roots = [...reductions.map((i) => (values[i] as Extract<Value, { op: "reduce" }>).args[0]), result];
  const isInput = (i: number): boolean => values[i]?.op === "param" && values[i]?.over === "element";
  const suits = (i: number, pass: number): boolean => {
    const later = roots.slice(pass + 1).map((root) => coneOf(kernel, root, [i]));
    const takesLookup = coneOf(kernel, i).some((at) => values[at]?.op === "lookup" && values[at]?.over === "element");
    return takesLookup && later.some((cone) => cone.includes(i)) && !later.some((cone) => cone.some(isInput));
  };
  const isHeld = heldBy(kernel, (values[result] as Value).lane);
  for (const [pass, from] of reductions.entries()) {
    const cone = coneOf(kernel, roots[pass] as number);
    const found = cone.findLast((i) => i !== result && values[i]?.over === "element" && isHeld(i) && suits(i, pass));
    if (found !== undefined) return { value: found, from };
  }
  return null;
}

/** Whether an array of the lane gives a value back as it was put in. */
function heldBy(kernel: Kernel, lane: Value["lane"]): (i: number) => boolean {
  const [known, whole] = [ranges(kernel), laneRange(lane)];
  return (i) => {
    const range = known[i] ?? null;
    if (range === null || whole === null) return range === whole;
    return whole.lo <= range.lo && range.hi <= whole.hi;
  };
}
