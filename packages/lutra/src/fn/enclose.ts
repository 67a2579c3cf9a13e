// Interval enclosures of expressions: the natural extension (each operation on intervals, rounded outward), sharpened by the derivative
// where that helps: monotone pieces need only their ends, others get the mean-value form.

import { type Interval, iv } from "../num/index.ts";
import { assemble } from "./assemble.ts";
import { CONSTANTS, shapeOfCall } from "./evaluate.ts";
import { type Arithmetic, type Expression, type Extremum, nodesOf } from "./expression.ts";
import { ruleOf } from "./named.ts";
import { power, powerUlps } from "./reference/power.ts";
import { encloseShape, finiteJumps, widenBy } from "./shape.ts";

export type Enclose = (x: Interval) => Interval;

/** A function that gives an interval with the values of the expression over x, wherever it is defined there. */
export function compileEnclosure(a: Expression): Enclose {
  return assemble(a, encloseNode, iv.EVERYTHING);
}

function encloseNode(a: Expression, enclosureOf: (part: Expression) => Enclose): Enclose {
  switch (a.kind) {
    case "number":
      return () => ({ lo: a.value, hi: a.value });
    case "constant":
      return () => widenBy(CONSTANTS[a.name], CONSTANTS[a.name], 1);
    case "x":
      return (x) => x;
    case "negate": {
      const of = enclosureOf(a.of);
      return (x) => iv.negate(of(x));
    }
    case "power": {
      const base = enclosureOf(a.base);
      return (x) => enclosePower(base(x), a.exponent);
    }
    case "call": {
      const of = enclosureOf(a.of);
      const shape = shapeOfCall(a.name, a.order);
      const { domain } = ruleOf(a.name);
      return (x) => encloseShape(shape, domain, of(x));
    }
    case "where": {
      const [test, then, otherwise] = [enclosureOf(a.test), enclosureOf(a.then), enclosureOf(a.otherwise)];
      return (x) => {
        const { lo, hi } = test(x);
        return lo >= 0 ? then(x) : hi < 0 ? otherwise(x) : iv.hull(then(x), otherwise(x));
      };
    }
    default: {
      const [left, right] = [enclosureOf(a.left), enclosureOf(a.right)];
      const combine = BINARY[a.kind];
      return (x) => combine(left(x), right(x));
    }
  }
}

const BINARY: Readonly<Record<Arithmetic | Extremum, (a: Interval, b: Interval) => Interval>> = {
  add: (a, b) => sound(iv.add(a, b)),
  subtract: (a, b) => sound(iv.subtract(a, b)),
  multiply: iv.multiply,
  divide: iv.divide,
  min: (a, b) => ({ lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) }),
  max: (a, b) => ({ lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) }),
};

/** Infinity - Infinity at an end says nothing about that end. */
function sound({ lo, hi }: Interval): Interval {
  return { lo: Number.isNaN(lo) ? -Infinity : lo, hi: Number.isNaN(hi) ? Infinity : hi };
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

/**
 * Whether the expression may jump within an interval: a choice is open there, or a jump of a named function in reach. A pole is found by
 * its unbounded derivative instead.
 */
export function compileJumps(a: Expression): (x: Interval) => boolean {
  const mayJump = nodesOf(a).flatMap((node) => {
    if (node.kind === "where") return [straddles(compileEnclosure(node.test), [0])];
    if (node.kind !== "call") return [];
    const jumps = finiteJumps(shapeOfCall(node.name, node.order));
    return jumps.length === 0 ? [] : [straddles(compileEnclosure(node.of), jumps)];
  });
  return (x) => mayJump.some((within) => within(x));
}

/** Whether values may lie on both sides of a level, which itself belongs to the side above. */
function straddles(enclose: Enclose, levels: readonly number[]): (x: Interval) => boolean {
  return (x) => {
    const { lo, hi } = enclose(x);
    // An end that is NaN says nothing, so it straddles.
    return levels.some((level) => !(lo >= level || hi < level));
  };
}

/**
 * The natural extension, cut with what the derivative says. That is sound where the derivative's enclosure is bounded: a function that
 * does not jump is then defined and continuous over x, since to leave its domain or to reach a pole makes the derivative unbounded.
 */
export function encloseWithDerivative(natural: Enclose, derivative: Enclose, x: Interval): Interval {
  const whole = natural(x);
  if (x.lo === x.hi || !(x.hi - x.lo < Infinity)) return whole;
  const slope = derivative(x);
  if (!(slope.lo > -Infinity && slope.hi < Infinity)) return whole;
  const monotone = slope.lo >= 0 || slope.hi <= 0;
  const cut = monotone
    ? iv.hull(natural({ lo: x.lo, hi: x.lo }), natural({ lo: x.hi, hi: x.hi }))
    : encloseMeanValue(natural, slope, x);
  return iv.intersect(whole, cut) ?? whole;
}

/** f(m) + f'(x) (x - m). */
function encloseMeanValue(natural: Enclose, slope: Interval, x: Interval): Interval {
  const m = x.lo + (x.hi - x.lo) / 2;
  const middle = { lo: m, hi: m };
  return sound(iv.add(natural(middle), iv.multiply(slope, iv.subtract(x, middle))));
}
