// The lines an expression approaches towards the infinities, from those of its parts. Null wherever the rules here do not decide.

import { compile, shapeOfCall } from "./evaluate.ts";
import type { Arithmetic, Expression, Extremum } from "./expression.ts";
import { ruleOf } from "./named.ts";
import type { Shape } from "./shape.ts";
import type { Fn, Line } from "./types.ts";

type Side = "below" | "above";

/** Functions that reach their limits exponentially, so that a line times the remainder still vanishes. */
const FAST: ReadonlySet<string> = new Set(["sigmoid", "hard-sigmoid", "tanh", "erf", "erfc", "exp", "exp2", "expm1"]);

/** Lines with f(x) - line -> 0 towards -Infinity and Infinity; intercepts right to rounding. */
export function asymptotesOf(a: Expression): Fn["asymptotes"] {
  return [lineOf(a, "below"), lineOf(a, "above")];
}

/** The asymptotes of a Shape: those its rule gives, and finite limits. */
export function asymptotesOfShape(shape: Shape, given: Fn["asymptotes"] = [null, null]): Fn["asymptotes"] {
  const flat = (limit: number): Line | null => (Number.isFinite(limit) ? line(0, limit) : null);
  return [given[0] ?? flat(shape.limits[0]), given[1] ?? flat(shape.limits[1])];
}

/** Null for what is no finite line; -0 becomes 0. */
function line(slope: number, intercept: number): Line | null {
  return Number.isFinite(slope) && Number.isFinite(intercept) ? { slope: slope + 0, intercept: intercept + 0 } : null;
}

function combine(a: Line, b: Line, weight: 1 | -1): Line | null {
  return line(a.slope + weight * b.slope, a.intercept + weight * b.intercept);
}

function lineOf(a: Expression, side: Side): Line | null {
  switch (a.kind) {
    case "number":
    case "constant":
      return line(0, compile(a)(0));
    case "x":
      return line(1, 0);
    case "negate": {
      const of = lineOf(a.of, side);
      return of === null ? null : line(-of.slope, -of.intercept);
    }
    case "call":
      return lineOfCall(a.name, a.order, lineOf(a.of, side), side);
    case "power": {
      const base = lineOf(a.base, side);
      if (base === null) return null;
      if (base.slope === 0) return line(0, compile({ ...a, base: { kind: "number", value: base.intercept } })(0));
      return a.exponent < 0 ? line(0, 0) : null;
    }
    case "where":
    case "min":
    case "max": {
      const branch = branchOf(a, side);
      return branch === null ? null : lineOf(branch, side);
    }
    default:
      return lineOfBinary(a, lineOf(a.left, side), lineOf(a.right, side), side);
  }
}

/** What a choice comes down to far out; null if that is not decided. */
function branchOf(
  a: Extract<Expression, { readonly kind: "where" } | { readonly kind: Extremum }>,
  side: Side,
): Expression | null {
  if (a.kind === "where") {
    const sign = signOf(lineOf(a.test, side), side);
    return sign === 0 ? null : sign > 0 ? a.then : a.otherwise;
  }
  const left = lineOf(a.left, side);
  const right = lineOf(a.right, side);
  const sign = left === null || right === null ? 0 : signOf(combine(left, right, -1), side);
  return sign === 0 ? null : sign > 0 === (a.kind === "max") ? a.left : a.right;
}

/** The sign of a line far out; 0 if it is zero or unknown. */
function signOf(of: Line | null, side: Side): number {
  if (of === null) return 0;
  return of.slope === 0 ? Math.sign(of.intercept) : Math.sign(of.slope) * (side === "above" ? 1 : -1);
}

function lineOfCall(name: string, order: number, of: Line | null, side: Side): Line | null {
  if (of === null) return null;
  const shape = shapeOfCall(name, order);
  if (of.slope === 0) {
    const jumps = shape.jumps.some(({ at }) => at === of.intercept);
    return jumps ? null : line(0, shape.evaluate(of.intercept));
  }
  const reaches = signOf(of, side) > 0 ? 1 : 0;
  const own = asymptotesOfShape(shape, order === 0 ? ruleOf(name).asymptotes : undefined)[reaches];
  return own === null ? null : line(own.slope * of.slope, own.slope * of.intercept + own.intercept);
}

function lineOfBinary(
  a: Extract<Expression, { readonly kind: Arithmetic }>,
  left: Line | null,
  right: Line | null,
  side: Side,
): Line | null {
  if (left === null || right === null) return null;
  switch (a.kind) {
    case "add":
      return combine(left, right, 1);
    case "subtract":
      return combine(left, right, -1);
    case "multiply":
      if (right.slope === 0 && (left.slope === 0 || settlesFast(a.right, side))) return scaled(left, right.intercept);
      return left.slope === 0 && settlesFast(a.left, side) ? scaled(right, left.intercept) : null;
    case "divide":
      if (right.slope !== 0) return left.slope === 0 ? line(0, 0) : null;
      return left.slope === 0 || settlesFast(a.right, side) ? scaled(left, 1 / right.intercept) : null;
    default:
      return a.kind satisfies never;
  }
}

function scaled(of: Line, factor: number): Line | null {
  return line(of.slope * factor, of.intercept * factor);
}

/** Whether it is constant, or reaches its constant limit exponentially. */
function settlesFast(a: Expression, side: Side): boolean {
  switch (a.kind) {
    case "number":
    case "constant":
      return true;
    case "negate":
      return settlesFast(a.of, side);
    case "add":
    case "subtract":
    case "multiply":
    case "divide":
      return settlesFast(a.left, side) && settlesFast(a.right, side);
    case "where":
    case "min":
    case "max": {
      const branch = branchOf(a, side);
      return branch !== null && settlesFast(branch, side);
    }
    case "call": {
      const of = lineOf(a.of, side);
      return a.order === 0 && (settlesFast(a.of, side) || (FAST.has(a.name) && of !== null && of.slope !== 0));
    }
    default:
      return false;
  }
}
