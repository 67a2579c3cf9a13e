// Expressions in x as immutable trees, built only through the constructors below. They simplify by the rules of 0 and 1, pull signs
// and numbers to the front, and fold numbers only where the result is exact: an expression means the same real function throughout.

import { productError, sumError } from "./reference/double-double.ts";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  /** The real number, not its binary64 neighbour. */
  | { readonly kind: "constant"; readonly name: "pi" | "e" }
  | { readonly kind: "x" }
  | { readonly kind: "negate"; readonly of: Expression }
  | { readonly kind: Arithmetic; readonly left: Expression; readonly right: Expression }
  | { readonly kind: Extremum; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "power"; readonly base: Expression; readonly exponent: number }
  /** The derivative of the given order of a named function; 0 is the function itself. */
  | { readonly kind: "call"; readonly name: string; readonly order: number; readonly of: Expression }
  /** `then` where test >= 0, else `otherwise`. */
  | {
      readonly kind: "where";
      readonly test: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    };

export type Arithmetic = "add" | "subtract" | "multiply" | "divide";
export type Extremum = "min" | "max";

export const X: Expression = { kind: "x" };
export const ZERO: Expression = { kind: "number", value: 0 };
export const ONE: Expression = { kind: "number", value: 1 };

export function number(value: number): Expression {
  return { kind: "number", value: value === 0 ? 0 : value };
}

function isNumber(a: Expression, value: number): boolean {
  return a.kind === "number" && a.value === value;
}

/** Whether two trees are equal. */
export function same(a: Expression, b: Expression): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "number":
      return b.kind === "number" && a.value === b.value;
    case "constant":
      return b.kind === "constant" && a.name === b.name;
    case "x":
      return b.kind === "x";
    case "negate":
      return b.kind === "negate" && same(a.of, b.of);
    case "power":
      return b.kind === "power" && a.exponent === b.exponent && same(a.base, b.base);
    case "call":
      return b.kind === "call" && a.name === b.name && a.order === b.order && same(a.of, b.of);
    case "where":
      return b.kind === "where" && same(a.test, b.test) && same(a.then, b.then) && same(a.otherwise, b.otherwise);
    default:
      return b.kind === a.kind && same(a.left, b.left) && same(a.right, b.right);
  }
}

/** -a where the number at the front of a product or quotient can take the sign; else null. */
function negateFront(a: Expression): Expression | null {
  if (a.kind === "number") return number(-a.value);
  if (a.kind !== "multiply" && a.kind !== "divide") return null;
  const left = negateFront(a.left);
  return left === null ? null : BINARY[a.kind](left, a.right);
}

export function negate(a: Expression): Expression {
  if (a.kind === "negate") return a.of;
  if (a.kind === "subtract") return subtract(a.right, a.left);
  return negateFront(a) ?? { kind: "negate", of: a };
}

/** -a if a visibly has a sign in front; else null. */
function withoutSign(a: Expression): Expression | null {
  if (a.kind === "negate") return a.of;
  let front: Expression = a;
  while (front.kind === "multiply" || front.kind === "divide") front = front.left;
  return front.kind === "number" && front.value < 0 ? negateFront(a) : null;
}

export function add(a: Expression, b: Expression): Expression {
  if (isNumber(a, 0)) return b;
  if (isNumber(b, 0)) return a;
  if (a.kind === "number" && b.kind === "number") {
    const sum = a.value + b.value;
    if (sumError(a.value, b.value, sum) === 0) return number(sum);
  }
  const positive = withoutSign(b);
  return positive === null ? { kind: "add", left: a, right: b } : subtract(a, positive);
}

export function subtract(a: Expression, b: Expression): Expression {
  if (isNumber(b, 0)) return a;
  if (isNumber(a, 0)) return negate(b);
  if (same(a, b)) return ZERO;
  if (a.kind === "number" && b.kind === "number") {
    const difference = a.value - b.value;
    if (sumError(a.value, -b.value, difference) === 0) return number(difference);
  }
  const positive = withoutSign(b);
  return positive === null ? { kind: "subtract", left: a, right: b } : add(a, positive);
}

/** a * b if it is exact in binary64, else null. */
function exactProduct(a: number, b: number): number | null {
  const product = a * b;
  const size = Math.abs(product);
  const safe = size > 2 ** -900 && size < 2 ** 900 && Math.abs(a) < 2 ** 900 && Math.abs(b) < 2 ** 900;
  return safe && productError(a, b, product) === 0 ? product : null;
}

export function multiply(a: Expression, b: Expression): Expression {
  if (isNumber(a, 0) || isNumber(b, 0)) return ZERO;
  if (isNumber(a, 1)) return b;
  if (isNumber(b, 1)) return a;
  if (isNumber(a, -1)) return negate(b);
  if (isNumber(b, -1)) return negate(a);
  if (a.kind === "negate") return negate(multiply(a.of, b));
  if (b.kind === "negate") return negate(multiply(a, b.of));
  if (a.kind === "number") {
    const factor = b.kind === "number" ? b.value : b.kind === "multiply" && b.left.kind === "number" ? b.left.value : 1;
    const product = factor === 1 ? null : exactProduct(a.value, factor);
    if (product !== null) return b.kind === "multiply" ? multiply(number(product), b.right) : number(product);
  } else {
    if (b.kind === "number") return multiply(b, a);
    if (a.kind === "multiply" && a.left.kind === "number") return multiply(a.left, multiply(a.right, b));
    if (b.kind === "multiply" && b.left.kind === "number") return multiply(b.left, multiply(a, b.right));
    if (same(a, b)) return power(a, 2);
  }
  return { kind: "multiply", left: a, right: b };
}

export function divide(a: Expression, b: Expression): Expression {
  if (isNumber(b, 1)) return a;
  if (isNumber(b, -1)) return negate(a);
  if (isNumber(a, 0) && !isNumber(b, 0)) return ZERO;
  if (a.kind === "number" && b.kind === "number" && b.value !== 0) {
    const quotient = a.value / b.value;
    if (exactProduct(quotient, b.value) === a.value) return number(quotient);
  }
  if (a.kind === "negate") return negate(divide(a.of, b));
  if (b.kind === "negate") return negate(divide(a, b.of));
  return { kind: "divide", left: a, right: b };
}

export function power(base: Expression, exponent: number): Expression {
  if (exponent === 0) return ONE;
  if (exponent === 1) return base;
  if (base.kind === "number" && exponent === 2) {
    const square = exactProduct(base.value, base.value);
    if (square !== null) return number(square);
  }
  return { kind: "power", base, exponent };
}

export function call(name: string, order: number, of: Expression): Expression {
  return { kind: "call", name, order, of };
}

export function minimum(a: Expression, b: Expression): Expression {
  return same(a, b) ? a : { kind: "min", left: a, right: b };
}

export function maximum(a: Expression, b: Expression): Expression {
  return same(a, b) ? a : { kind: "max", left: a, right: b };
}

export function where(test: Expression, then: Expression, otherwise: Expression): Expression {
  if (test.kind === "number") return test.value >= 0 ? then : otherwise;
  return same(then, otherwise) ? then : { kind: "where", test, then, otherwise };
}

/** The expression built anew with its direct parts replaced. */
export function mapParts(a: Expression, change: (part: Expression) => Expression): Expression {
  switch (a.kind) {
    case "number":
    case "constant":
    case "x":
      return a;
    case "negate":
      return negate(change(a.of));
    case "power":
      return power(change(a.base), a.exponent);
    case "call":
      return call(a.name, a.order, change(a.of));
    case "where":
      return where(change(a.test), change(a.then), change(a.otherwise));
    default:
      return BINARY[a.kind](change(a.left), change(a.right));
  }
}

/** The expression with every x replaced. */
export function substitute(a: Expression, x: Expression): Expression {
  return a.kind === "x" ? x : mapParts(a, (part) => substitute(part, x));
}

const BINARY: Readonly<Record<Arithmetic | Extremum, (a: Expression, b: Expression) => Expression>> = {
  add,
  subtract,
  multiply,
  divide,
  min: minimum,
  max: maximum,
};

/** The direct parts of an expression. */
export function parts(a: Expression): readonly Expression[] {
  switch (a.kind) {
    case "number":
    case "constant":
    case "x":
      return [];
    case "negate":
    case "call":
      return [a.of];
    case "power":
      return [a.base];
    case "where":
      return [a.test, a.then, a.otherwise];
    default:
      return [a.left, a.right];
  }
}

/** Every part of an expression and itself, each object once, parts before what they are part of. Derivatives share many parts. */
export function nodesOf(a: Expression): readonly Expression[] {
  const seen = new Set<Expression>();
  const visit = (node: Expression): void => {
    for (const part of parts(node)) {
      if (!seen.has(part)) visit(part);
    }
    seen.add(node);
  };
  visit(a);
  return [...seen];
}
