// The line an expression keeps to far from 0, with a proven bound on how far from it: what a proof over huge inputs leans on, where
// intervals lose all cancellation (x sigmoid(2 x) - x at 3e38). Every part of the expression is written as
//
//     slope x + intercept + rest(x) on |x| >= START, on one side, with bounds on |rest|, |x rest| and |x^2 rest| there:
//
// a factor x costs a product one of those powers, which a rest that decays exponentially can pay. Null wherever these rules do not decide.

import { type Interval, iv } from "../../num/index.ts";
import { asymptotesOfShape } from "../asymptotes.ts";
import { differentiate } from "../differentiate.ts";
import { compileEnclosure, compileJumps } from "../enclose.ts";
import { CONSTANTS, shapeOfCall } from "../evaluate.ts";
import { type Expression, nodesOf, subtract, X } from "../expression.ts";
import { ruleOf } from "../named.ts";
import { exp } from "../reference/exp.ts";
import { DECAY, type Decay } from "../rules/decay.ts";
import { widenBy } from "../shape.ts";
import type { FarLine, Line } from "../types.ts";
import { type Coefficient, coefficient, isZero, plus, within } from "./coefficient.ts";
import {
  constant,
  type Form,
  lowered,
  NO_REST,
  negated,
  product,
  type Rest,
  raised,
  reciprocal,
  scaledRest,
  sum,
} from "./form.ts";
import { NEAREST } from "./values.ts";

export type Side = "below" | "above";

/** How an argument u runs away: |u(x)| >= least + rate (|x| - START), with the sign of `direction`. */
interface Reach {
  readonly direction: 1 | -1;
  readonly least: number;
  readonly rate: number;
}

/** Where lines begin: near enough for binary64 to tell values apart before, far enough for most to have settled. */
const START = NEAREST;
/** For those that are not this near by then, there is another try farther out. */
const SETTLED = 2 ** -30;
const SECOND_START = 2 ** 20;
/** More than is lost where an exponential underflows, x^2 included. */
const UNDERFLOW = 2 ** -1000;

/** The line on one side; null if none is known. */
export function farLineOf(a: Expression, side: Side): FarLine | null {
  const near = lineFrom(a, side, START);
  return near !== null && iv.magnitude(near.deviation) <= SETTLED ? near : lineFrom(a, side, SECOND_START);
}

/** The line it approaches on one side: what is bounded after a multiplication by x vanishes. Null if none is known. */
export function lineApproached(a: Expression, side: Side): Line | null {
  const form = new Forms(side, START).of(a);
  return form !== null && form.rest[1] < Infinity
    ? { slope: middle(form.slope.range), intercept: middle(form.intercept.range) }
    : null;
}

function lineFrom(a: Expression, side: Side, from: number): FarLine | null {
  const form = new Forms(side, from).of(a);
  if (form === null) return null;
  const [slope, slopeError] = nearest(form.slope);
  const [intercept, interceptError] = nearest(form.intercept);
  const deviation = raised(form.rest[0] + interceptError);
  if (!Number.isFinite(slope) || !(deviation < Infinity && slopeError < Infinity)) return null;
  return { from, slope, intercept, slopeError, deviation: { lo: -deviation, hi: deviation } };
}

/** A binary64 number, and how far from it the coefficient may be. */
function nearest(of: Coefficient): readonly [value: number, error: number] {
  const value = middle(of.range);
  return [value, Number.isFinite(value) ? iv.magnitude(plus(of, coefficient(-value)).range) : Infinity];
}

function middle({ lo, hi }: Interval): number {
  return lo === hi ? lo : lo / 2 + hi / 2;
}

/** The forms of an expression's parts on one ray. */
class Forms {
  readonly #side: Side;
  readonly #from: number;
  readonly #ray: Interval;
  readonly #known = new Map<Expression, Form | null>();

  constructor(side: Side, from: number) {
    this.#side = side;
    this.#from = from;
    this.#ray = side === "above" ? { lo: from, hi: Infinity } : { lo: -Infinity, hi: -from };
  }

  of(a: Expression): Form | null {
    const known = this.#known.get(a);
    if (known !== undefined) return known;
    const form = this.#derive(a);
    const result = form !== null && form.rest[0] < Infinity ? form : this.#bounded(a);
    this.#known.set(a, result);
    return result;
  }

  #derive(a: Expression): Form | null {
    switch (a.kind) {
      case "number":
        return Number.isFinite(a.value) ? constant(coefficient(a.value)) : null;
      case "constant":
        return constant(within(widenBy(CONSTANTS[a.name], CONSTANTS[a.name], 1)));
      case "x":
        return { slope: coefficient(1), intercept: coefficient(0), rest: NO_REST };
      case "negate":
        return map(this.of(a.of), negated);
      case "power":
        return this.#power(a);
      case "call":
        return this.#call(a);
      case "where":
      case "min":
      case "max":
        return this.#choice(a);
      default:
        return this.#binary(a);
    }
  }

  /** Values that stay within bounds: their middle, and no decay. */
  #bounded(a: Expression): Form | null {
    const range = compileEnclosure(a)(this.#ray);
    if (!(range.lo > -Infinity && range.hi < Infinity)) return null;
    const centre = middle(range);
    const radius = raised(Math.max(range.hi - centre, centre - range.lo));
    return constant(coefficient(centre), [radius, Infinity, Infinity]);
  }

  #binary(a: Extract<Expression, { readonly kind: "add" | "subtract" | "multiply" | "divide" }>): Form | null {
    const [left, right] = [this.of(a.left), this.of(a.right)];
    if (left === null || right === null) return null;
    if (a.kind === "add") return sum(left, right);
    if (a.kind === "subtract") return sum(left, negated(right));
    return a.kind === "multiply" ? product(left, right) : map(reciprocal(right), (form) => product(left, form));
  }

  #power(a: Extract<Expression, { readonly kind: "power" }>): Form | null {
    const base = this.of(a.base);
    if (base === null || !isZero(base.slope)) return null;
    const isProduct = a.exponent === 2 || a.exponent === 3;
    if (!isProduct) return this.#settled({ ...a, base: X }, base);
    const square = product(base, base);
    return a.exponent === 2 ? square : map(square, (form) => product(form, base));
  }

  #call(a: Extract<Expression, { readonly kind: "call" }>): Form | null {
    const of = this.of(a.of);
    if (of !== null && isZero(of.slope)) return this.#settled({ ...a, of: X }, of);
    const reach = this.#reachOf(a.of);
    if (reach === null || a.order !== 0) return null;
    const end = reach.direction > 0 ? 1 : 0;
    const line = asymptotesOfShape(shapeOfCall(a.name, 0), ruleOf(a.name).asymptotes)[end];
    const decay = DECAY[a.name]?.[end] ?? null;
    if (line === null || decay === null || !(reach.least >= decay.from)) return null;
    const settled = constant(coefficient(line.intercept), this.#decayed(decay, reach));
    if (line.slope === 0) return settled;
    return map(of, (form) => map(product(form, constant(coefficient(line.slope))), (main) => sum(main, settled)));
  }

  /** A function of what tends to a constant, by its steepest slope around there (the mean value theorem). */
  #settled(outer: Expression, { intercept, rest }: Form): Form | null {
    const around = iv.add(intercept.range, { lo: -rest[0], hi: rest[0] });
    if (compileJumps(outer)(around) || !isDefined(outer, around)) return null;
    const steepest = iv.magnitude(compileEnclosure(differentiate(outer))(around));
    if (!(steepest < Infinity)) return null;
    const value = compileEnclosure(outer)(intercept.range);
    return constant(within(value), scaledRest(rest, steepest));
  }

  /** By the mean value theorem, from the least |u'| on the ray; null if u is not seen to run away. */
  #reachOf(u: Expression): Reach | null {
    if (!isContinuous(u)) return null;
    const slope = compileEnclosure(differentiate(u))(this.#ray);
    const rate = iv.mignitude(slope);
    if (!(rate > 0 && rate < Infinity)) return null;
    const direction = slope.lo > 0 === (this.#side === "above") ? 1 : -1;
    const start = this.#side === "above" ? this.#from : -this.#from;
    const { lo, hi } = compileEnclosure(u)({ lo: start, hi: start });
    const least = direction > 0 ? lo : -hi;
    return least >= 0 ? { direction, least, rate } : null;
  }

  /** sup |x|^p factor exp(-decay.rate |u(x)|): largest where |x| = p / rate, or at the start of the ray. */
  #decayed({ factor, rate: ownRate }: Decay, { least, rate }: Reach): Rest {
    if (factor === 0) return NO_REST;
    const joint = lowered(ownRate * rate);
    const bound = (p: 0 | 1 | 2): number => {
      const at = Math.max(this.#from, p / joint);
      const exponent = lowered(ownRate * least + joint * (at - this.#from));
      return raised(factor * [1, at, at * at][p] * exp(-exponent) * (1 + 2 ** -40) + UNDERFLOW);
    };
    return [bound(0), bound(1), bound(2)];
  }

  /** min, max and where, if one branch is taken all along the ray. */
  #choice(a: Extract<Expression, { readonly kind: "where" | "min" | "max" }>): Form | null {
    const sign = this.#signOf(a.kind === "where" ? a.test : subtract(a.left, a.right));
    if (sign === 0) return null;
    if (a.kind === "where") return this.of(sign > 0 ? a.then : a.otherwise);
    return this.of(sign > 0 === (a.kind === "max") ? a.left : a.right);
  }

  /** 1 where it is at least 0 on the whole ray, -1 where below 0, 0 if neither is seen. */
  #signOf(a: Expression): number {
    const { lo, hi } = this.#rangeOf(this.of(a)) ?? compileEnclosure(a)(this.#ray);
    return lo >= 0 ? 1 : hi < 0 ? -1 : 0;
  }

  /** Values on the ray; null where there is no form. */
  #rangeOf(form: Form | null): Interval | null {
    if (form === null) return null;
    const { slope, intercept, rest } = form;
    return iv.add(iv.add(iv.multiply(slope.range, this.#ray), intercept.range), { lo: -rest[0], hi: rest[0] });
  }
}

function map(form: Form | null, change: (form: Form) => Form | null): Form | null {
  return form === null ? null : change(form);
}

/** Whether it is plain that u is defined and continuous everywhere: no choice, no pole, no function of half a line. */
function isContinuous(u: Expression): boolean {
  return nodesOf(u).every((node) => {
    if (node.kind === "where") return false;
    if (node.kind === "divide") return nodesOf(node.right).every(({ kind }) => kind !== "x");
    if (node.kind === "power") return Number.isInteger(node.exponent) && node.exponent > 0;
    return node.kind !== "call" || isEverywhere(node.name, node.order);
  });
}

function isEverywhere(name: string, order: number): boolean {
  const { lo, hi } = ruleOf(name).domain;
  return lo === -Infinity && hi === Infinity && shapeOfCall(name, order).jumps.length === 0;
}

/** Whether a call or a power of x is defined on all of an interval. */
function isDefined(outer: Expression, { lo, hi }: Interval): boolean {
  if (outer.kind === "call") {
    const { domain } = ruleOf(outer.name);
    return domain.lo <= lo && hi <= domain.hi;
  }
  if (outer.kind !== "power") return false;
  return lo > 0 || (Number.isInteger(outer.exponent) && (outer.exponent > 0 || hi < 0));
}
