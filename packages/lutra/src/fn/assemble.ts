// Expressions to functions: one closure per part, made once however often the part occurs.

import { type Expression, nodesOf, parts } from "./expression.ts";

/**
 * A function of x (a number, an interval) for an expression. `build` makes that of one node from those of its parts. A part without x
 * is computed once, here; a part that occurs several times is computed once per x. `example` is some x, whichever.
 */
export function assemble<X, Y>(
  a: Expression,
  build: (node: Expression, partOf: (part: Expression) => (x: X) => Y) => (x: X) => Y,
  example: X,
): (x: X) => Y {
  const nodes = nodesOf(a);
  const varies = new Set<Expression>();
  const uses = new Map<Expression, number>();
  for (const node of nodes) {
    if (node.kind === "x" || parts(node).some((part) => varies.has(part))) varies.add(node);
    for (const part of parts(node)) uses.set(part, (uses.get(part) ?? 0) + 1);
  }
  const made = new Map<Expression, (x: X) => Y>();
  const partOf = (part: Expression): ((x: X) => Y) => {
    const run = made.get(part);
    if (run === undefined) throw new RangeError("parts come before what they are part of");
    return run;
  };
  for (const node of nodes) {
    const run = build(node, partOf);
    if (!varies.has(node)) made.set(node, constantly(run(example)));
    else made.set(node, node.kind !== "x" && (uses.get(node) ?? 0) > 1 ? remembering(run) : run);
  }
  return partOf(a);
}

function constantly<X, Y>(value: Y): (x: X) => Y {
  return () => value;
}

/** The same function, keeping its last answer. */
function remembering<X, Y>(run: (x: X) => Y): (x: X) => Y {
  let last: { readonly x: X; readonly y: Y } | null = null;
  return (x) => {
    if (last === null || !Object.is(last.x, x)) last = { x, y: run(x) };
    return last.y;
  };
}
