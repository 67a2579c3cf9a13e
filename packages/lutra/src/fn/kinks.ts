// Where the derivative of an expression jumps: at the kinks of the named functions in it, where their arguments reach them, and where
// the two sides of min, max and where meet. Any argument but x itself is searched for sign changes.

import { compile, shapeOfCall } from "./evaluate.ts";
import { type Expression, nodesOf, subtract } from "./expression.ts";
import { shapeOf } from "./named.ts";
import { finiteJumps } from "./shape.ts";

/** Arguments are searched for crossings here, at steps of STEP. */
const SEARCH_END = 128;
const STEP = 1 / 16;

/** The kinks, increasing. Crossings outside [-128, 128] or in pairs closer than 1/16 are missed. */
export function kinksOf(a: Expression): readonly number[] {
  const found = new Set<number>();
  for (const node of nodesOf(a)) collect(node, found);
  return [...found].sort((p, q) => p - q);
}

function collect(a: Expression, found: Set<number>): void {
  if (a.kind === "call") {
    for (const level of levelsOf(a.name, a.order)) addCrossings(a.of, level, found);
  } else if (a.kind === "min" || a.kind === "max") {
    addCrossings(subtract(a.left, a.right), 0, found);
  } else if (a.kind === "where") {
    addCrossings(a.test, 0, found);
  }
}

/** Where the derivative of a named function jumps, or the function itself; poles are no kinks. */
function levelsOf(name: string, order: number): readonly number[] {
  const next = shapeOf(name, order + 1);
  return [...finiteJumps(shapeOfCall(name, order)), ...(next === null ? [] : finiteJumps(next))];
}

function addCrossings(a: Expression, level: number, found: Set<number>): void {
  if (a.kind === "x") {
    found.add(level);
    return;
  }
  const run = compile(a);
  const height = (x: number): number => run(x) - level;
  for (let x = -SEARCH_END; x < SEARCH_END; x += STEP) {
    const from = height(x);
    const to = height(x + STEP);
    if (from === 0) found.add(x);
    else if (from * to < 0) found.add(bisect(height, x, x + STEP));
  }
}

/** A sign change of f between a and b, to neighbouring doubles. */
function bisect(f: (x: number) => number, a: number, b: number): number {
  const sign = Math.sign(f(a));
  let [lo, hi] = [a, b];
  for (;;) {
    const middle = lo + (hi - lo) / 2;
    if (middle <= lo || middle >= hi) return hi;
    if (Math.sign(f(middle)) === sign) lo = middle;
    else hi = middle;
  }
}
