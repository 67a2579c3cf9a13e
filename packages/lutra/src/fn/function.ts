// Expressions and named functions as Fn. A single call of a named function on x is that function itself, with all its rule knows;
// anything else is evaluated, enclosed and differentiated as an expression.

import { type Interval, iv, ulpAt } from "../num/index.ts";
import { asymptotesOf, asymptotesOfShape } from "./asymptotes.ts";
import { differentiate } from "./differentiate.ts";
import { compileEnclosure, compileJumps, encloseWithDerivative } from "./enclose.ts";
import { compile } from "./evaluate.ts";
import { type Expression, X } from "./expression.ts";
import { farLineOf, lineApproached } from "./far/far-line.ts";
import { encloseFar, type FarLines, farError, farOut, settlesOn } from "./far/values.ts";
import { kinksOf } from "./kinks.ts";
import { ruleOf, shapeOf } from "./named.ts";
import { print } from "./print.ts";
import { REALS } from "./rules/rule.ts";
import { encloseShape, evaluateShape, finiteJumps, type Shape, slack } from "./shape.ts";
import type { FarLine, Fn, Identity, Line } from "./types.ts";

/** The function an expression means. `domain` is known from the function it is the derivative of, or found by looking. */
export function toFn(a: Expression, domain?: Interval): Fn {
  if (a.kind === "call" && a.of.kind === "x") {
    const shape = shapeOf(a.name, a.order);
    if (shape !== null) return namedFn(a.name, a.order, shape);
  }
  return expressionFn(a, domain ?? domainOf(a));
}

/**
 * Beyond this the named functions that approach y = x (gelu, silu, mish, softplus, ... and, exactly on it, elu and hard-swish) are within
 * x exp(-x) of it, which falls: 64 exp(-64) = 1.03e-26 < 2^-86. Their references answer x there, far better than ulps of x would say.
 */
const ON_IDENTITY_FROM = 64;
const IDENTITY_ERROR: number = 2 ** -86;

function namedFn(name: string, order: number, shape: Shape): Fn {
  const rule = ruleOf(name);
  const { domain } = rule;
  const jumps = finiteJumps(shape);
  const asymptotes = asymptotesOfShape(shape, order === 0 ? rule.asymptotes : undefined);
  const approachesX = order === 0 && asymptotes[1]?.slope === 1 && asymptotes[1].intercept === 0;
  const expression: Expression = { kind: "call", name, order, of: X };
  const errorAt = (x: number): number => {
    const y = evaluateShape(shape, x);
    if (approachesX && x >= ON_IDENTITY_FROM && y === x) return IDENTITY_ERROR;
    if (Number.isNaN(y)) return Infinity;
    return shape.ulps === 0 ? Number.MIN_VALUE : slack(y, shape.ulps);
  };
  const farLine = (line: Line | null, start: number): FarLine | null => {
    if (line === null || line.slope === 0) return null;
    return namedFarLine(line, start, evaluateShape(shape, start), errorAt(start));
  };
  return {
    text: order === 0 ? name : print(expression),
    domain,
    ulps: shape.ulps,
    evaluate: (x) => evaluateShape(shape, x),
    errorAt,
    enclose: (x) => encloseShape(shape, domain, x),
    continuousOn: ({ lo, hi }) => !jumps.some((at) => lo < at && at <= hi),
    derivative: () => toFn(differentiate(expression), domain),
    identities: order === 0 ? rule.identities : order === 1 ? rule.identities.flatMap(differentiated) : [],
    asymptotes,
    farLines: [farLine(asymptotes[0], -SETTLING_FROM), farLine(asymptotes[1], SETTLING_FROM)],
    kinks: kinksOf(expression),
  };
}

/**
 * Named functions with a sloped asymptote (GELU, SiLU, Mish, Softplus, ELU, ...) are all convex or concave beyond this on either side,
 * so their deviation from the line shrinks monotonically. A test samples that.
 */
const SETTLING_FROM = 16;

/** The deviation lies between 0 and what it is at the start. */
function namedFarLine({ slope, intercept }: Line, start: number, y: number, error: number): FarLine {
  const deviation = y - (slope * start + intercept);
  const doubt = error + (Math.abs(slope * start) + Math.abs(intercept)) * 2 ** -51;
  return {
    from: SETTLING_FROM,
    slope,
    intercept,
    slopeError: 0,
    deviation: { lo: Math.min(0, deviation - doubt), hi: Math.max(0, deviation + doubt) },
  };
}

/** What the identity of a function says about its derivative. */
function differentiated(identity: Identity): readonly Identity[] {
  switch (identity.by) {
    case "odd":
    case "complement":
      return [{ by: "even" }];
    case "even":
      return [{ by: "odd" }];
    case "reflect":
      return [{ by: "complement" }];
    default:
      return [];
  }
}

function expressionFn(a: Expression, domain: Interval): Fn {
  const run = compile(a);
  const natural = compileEnclosure(a);
  const slope = lazy(() => compileEnclosure(differentiate(a)));
  const jumps = lazy(() => compileJumps(a));
  const { lo: first, hi: last } = domain;
  const far: FarLines = [lazy(() => farLineOf(a, "below")), lazy(() => farLineOf(a, "above"))];
  const evaluate = (x: number): number => {
    if (!(x >= first && x <= last)) return Number.NaN;
    const line = farOut(x, x, far);
    return line !== null && settlesOn(line) ? line.slope * x + line.intercept : evaluateWithLimits(run, x);
  };
  const encloseNaturally = (x: Interval): Interval => {
    const line = farOut(x.lo, x.hi, far);
    const whole = natural(x);
    return line === null ? whole : (iv.intersect(whole, encloseFar(line, x)) ?? whole);
  };
  const enclose = (x: Interval): Interval => {
    const inside = iv.intersect(x, domain);
    if (inside === null) return iv.EVERYTHING;
    return jumps()(inside) ? encloseNaturally(inside) : encloseWithDerivative(encloseNaturally, slope(), inside);
  };
  const errorAt = (x: number): number => {
    const { lo, hi } = natural({ lo: x, hi: x });
    const y = evaluate(x);
    const error = Math.max(hi - y, y - lo) * (1 + 2 ** -50) + Number.MIN_VALUE;
    const line = farOut(x, x, far);
    const alongLine = line !== null && settlesOn(line) ? farError(line, x) : Infinity;
    return Number.isNaN(error) ? alongLine : Math.min(error, alongLine);
  };
  // What costs a walk of the whole expression, or more, waits until it is asked for.
  const text = lazy(() => print(a));
  const ulps = lazy(() => measureUlps(evaluate, errorAt, domain));
  const asymptotes = lazy(() => approached(a));
  const kinks = lazy(() => kinksOf(a));
  return {
    get text() {
      return text();
    },
    domain,
    get ulps() {
      return ulps();
    },
    evaluate,
    errorAt,
    enclose,
    continuousOn: (x) => !jumps()(x),
    derivative: () => toFn(differentiate(a), domain),
    identities: [],
    get asymptotes() {
      return asymptotes();
    },
    get farLines() {
      return [far[0](), far[1]()] as const;
    },
    get kinks() {
      return kinks();
    },
  };
}

/** By the rules for asymptotes; where these do not decide (tanh of a cubic), by the far lines'. */
function approached(a: Expression): Fn["asymptotes"] {
  const [below, above] = asymptotesOf(a);
  return [below ?? lineApproached(a, "below"), above ?? lineApproached(a, "above")];
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Stands for infinity where the formula itself gives no limit, such as x * sigmoid(x) at -Infinity. */
const NEARLY_INFINITE = 2 ** 1000;
/** A value beyond this at NEARLY_INFINITE is taken to grow without end. */
const GROWING = 2 ** 300;

function evaluateWithLimits(run: (x: number) => number, x: number): number {
  const y = run(x);
  if (!Number.isNaN(y) || Number.isFinite(x) || Number.isNaN(x)) return y;
  const far = run(x > 0 ? NEARLY_INFINITE : -NEARLY_INFINITE);
  return Math.abs(far) > GROWING ? Math.sign(far) * Infinity : far;
}

/**
 * The largest errorAt in ulps over 2^e (1 + j/8), both signs, e = -30 .. 9, j = 0 .. 7, where the value is normal and no root is near
 * (error below 2^-26 of it); doubled. Measured, not proven.
 */
function measureUlps(evaluate: (x: number) => number, errorAt: (x: number) => number, domain: Interval): number {
  let worst = 1;
  for (let size = 2 ** -30; size < 2 ** 10; size *= 2) {
    for (let j = 0; j < 16; j++) {
      const x = (j < 8 ? size : -size) * (1 + (j % 8) / 8);
      const y = Math.abs(evaluate(x));
      if (!iv.contains(domain, x) || !(y >= 2 ** -1000 && y < Infinity)) continue;
      const error = errorAt(x);
      if (error < y * 2 ** -26) worst = Math.max(worst, error / ulpAt(y, 52, -1022));
    }
  }
  return Math.ceil(2 * worst);
}

/** A named function of a line in x narrows the domain by its own; for anything else the reals, and NaN where undefined. */
function domainOf(a: Expression): Interval {
  if (a.kind === "number" || a.kind === "constant" || a.kind === "x") return REALS;
  if (a.kind === "call") {
    const inner = domainOf(a.of);
    const own = ruleOf(a.name).domain;
    if (own.lo === -Infinity && own.hi === Infinity) return inner;
    return iv.intersect(inner, preimage(a.of, own)) ?? inner;
  }
  if (a.kind === "power") {
    const inner = domainOf(a.base);
    return Number.isInteger(a.exponent)
      ? inner
      : (iv.intersect(inner, preimage(a.base, { lo: 0, hi: Infinity })) ?? inner);
  }
  if (a.kind === "negate") return domainOf(a.of);
  if (a.kind === "where") return REALS;
  const [left, right] = [domainOf(a.left), domainOf(a.right)];
  return iv.intersect(left, right) ?? left;
}

/** The x for which a line in x lies in an interval; the reals if it is no line. Ends are right to an ulp or two. */
function preimage(line: Expression, target: Interval): Interval {
  const slope = differentiate(line);
  if (slope.kind !== "number" || slope.value === 0) return REALS;
  const intercept = compile(line)(0);
  const ends = [(target.lo - intercept) / slope.value, (target.hi - intercept) / slope.value];
  return { lo: Math.min(...ends), hi: Math.max(...ends) };
}
