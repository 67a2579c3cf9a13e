// Interval enclosures of expressions: the natural extension (each operation on intervals, rounded outward), sharpened by the derivative
// where that helps: monotone pieces need only their ends, others get the mean-value form.

import { type Interval, iv } from "../num/index.ts";
import { CONSTANTS, shapeOfCall } from "./evaluate.ts";
import { type Expression, parts } from "./expression.ts";
import { ruleOf } from "./named.ts";
import { power, powerUlps } from "./reference/power.ts";
import { encloseShape, widenBy } from "./shape.ts";

/** Contains the values of the expression over x, wherever it is defined there. */
export function encloseNaturally(a: Expression, x: Interval): Interval {
  switch (a.kind) {
    case "number":
      return { lo: a.value, hi: a.value };
    case "constant":
      return widenBy(CONSTANTS[a.name], CONSTANTS[a.name], 1);
    case "x":
      return x;
    case "negate":
      return iv.negate(encloseNaturally(a.of, x));
    case "add":
      return sound(iv.add(encloseNaturally(a.left, x), encloseNaturally(a.right, x)));
    case "subtract":
      return sound(iv.subtract(encloseNaturally(a.left, x), encloseNaturally(a.right, x)));
    case "multiply":
      return iv.multiply(encloseNaturally(a.left, x), encloseNaturally(a.right, x));
    case "divide":
      return iv.divide(encloseNaturally(a.left, x), encloseNaturally(a.right, x));
    case "min":
    case "max":
      return encloseExtremum(a.kind, encloseNaturally(a.left, x), encloseNaturally(a.right, x));
    case "power":
      return enclosePower(encloseNaturally(a.base, x), a.exponent);
    case "call":
      return encloseShape(shapeOfCall(a.name, a.order), ruleOf(a.name).domain, encloseNaturally(a.of, x));
    case "where": {
      const test = encloseNaturally(a.test, x);
      if (test.lo >= 0) return encloseNaturally(a.then, x);
      if (test.hi < 0) return encloseNaturally(a.otherwise, x);
      return iv.hull(encloseNaturally(a.then, x), encloseNaturally(a.otherwise, x));
    }
    default:
      return a satisfies never;
  }
}

/** Infinity - Infinity at an end says nothing about that end. */
function sound({ lo, hi }: Interval): Interval {
  return { lo: Number.isNaN(lo) ? -Infinity : lo, hi: Number.isNaN(hi) ? Infinity : hi };
}

function encloseExtremum(kind: "min" | "max", a: Interval, b: Interval): Interval {
  const pick = kind === "min" ? Math.min : Math.max;
  return { lo: pick(a.lo, b.lo), hi: pick(a.hi, b.hi) };
}

/** x^p over an interval: monotone on each side of 0. Negative bases belong to whole exponents only. */
function enclosePower(base: Interval, p: number): Interval {
  const whole = Number.isInteger(p);
  if (!whole && base.hi < 0) return iv.EVERYTHING;
  const x = whole ? base : { lo: Math.max(0, base.lo), hi: base.hi };
  if (p < 0 && x.lo < 0 && x.hi >= 0 && p % 2 !== 0) return iv.EVERYTHING;
  const even = whole && p % 2 === 0;
  const { lo, hi } = even ? { lo: iv.mignitude(x), hi: iv.magnitude(x) } : x;
  const ends = [power(lo, p), power(hi, p)];
  const near = widenBy(Math.min(...ends), Math.max(...ends), powerUlps(p));
  // 1 / x^|p| is 0 where x^|p| overflows: the true value is then below 2^-1023.
  const wide = p < 0 ? { lo: near.lo - 2 ** -1023, hi: near.hi + 2 ** -1023 } : near;
  return even || !whole ? { lo: Math.max(0, wide.lo), hi: wide.hi } : wide;
}

/** Whether the expression, or anything in it, may jump. A pole is found by its unbounded derivative instead. */
export function mayJump(a: Expression): boolean {
  if (a.kind === "where") return true;
  if (a.kind === "call" && shapeOfCall(a.name, a.order).jumps.some(({ left }) => Number.isFinite(left))) return true;
  return parts(a).some(mayJump);
}

/**
 * Natural extension, cut with what the derivative says. That is sound where the derivative's enclosure is bounded: the expression is
 * then defined and continuous over x, since every way to leave its domain or to reach a pole makes the derivative unbounded.
 */
export function encloseWithDerivative(a: Expression, derivative: Expression, x: Interval): Interval {
  const natural = encloseNaturally(a, x);
  if (x.lo === x.hi || !(x.hi - x.lo < Infinity)) return natural;
  const slope = encloseNaturally(derivative, x);
  if (!(slope.lo > -Infinity && slope.hi < Infinity)) return natural;
  const cut = slope.lo >= 0 || slope.hi <= 0 ? encloseMonotone(a, x) : encloseMeanValue(a, slope, x);
  return iv.intersect(natural, cut) ?? natural;
}

function encloseMonotone(a: Expression, x: Interval): Interval {
  return iv.hull(encloseNaturally(a, { lo: x.lo, hi: x.lo }), encloseNaturally(a, { lo: x.hi, hi: x.hi }));
}

/** f(m) + f'(x) (x - m). */
function encloseMeanValue(a: Expression, slope: Interval, x: Interval): Interval {
  const m = x.lo + (x.hi - x.lo) / 2;
  const offset = iv.subtract(x, { lo: m, hi: m });
  return sound(iv.add(encloseNaturally(a, { lo: m, hi: m }), iv.multiply(slope, offset)));
}
