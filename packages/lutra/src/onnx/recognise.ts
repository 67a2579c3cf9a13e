// Which function an expression is, by meaning: its values on a fixed set of points against those of every named function and of the
// families with parameters. Spelling, operand order and folded constants do not matter. What is none of them stays an expression.

import { LutraError } from "../base/index.ts";
import { type Fn, functionNames, parseFn } from "../fn/index.ts";

export interface Recognised {
  /** A function's name, a family with its parameters, or the expression itself: a text that parseFn gives back. */
  readonly kind: string;
  readonly is: "named" | "family" | "expression";
}

/** Magnitudes of the points, both signs; 0 too. Between them, no two known functions agree. */
const SIZES: readonly number[] = [
  0.001, 0.03, 0.11, 0.27, 0.5, 0.83, 1, 1.3, 1.7, 2.1, 2.6, 2.95, 3.05, 3.6, 4.2, 5.1, 6.3, 8.7, 12, 19, 37,
];
const POINTS: readonly number[] = [...SIZES.map((size) => -size).reverse(), 0, ...SIZES];

/** Only to tell functions apart: beyond where Clip keeps exp finite, and where tails have vanished but not a 1e-7 added to them. */
const FAR_POINTS: readonly number[] = [-100, -60, 60, 100];

/**
 * How far values may be off: exporters write constants with six digits (1.41421 for the root of 2). Not where a function is 0, and hardly
 * far out: sqrt(x) + 1e-7 is written so that nothing divides by 0.
 */
const RELATIVE_TOLERANCE = 2e-5;
const ABSOLUTE_TOLERANCE = 1e-6;
const FAR_TOLERANCE = 1e-13;

/** An expression is offered as a layer where it is defined for all points and steeper than this nowhere. */
const STEEPEST = 64;

interface Family {
  /** Parameters read off a few values; NaN where it cannot be. */
  readonly parameters: (f: (x: number) => number) => readonly number[];
  readonly allows: (...parameters: readonly number[]) => boolean;
  readonly text: (...parameters: readonly number[]) => string;
}

const LOG = parseFn("log");
/** Far enough for exp to vanish, whatever the scale. */
const FAR_BELOW = -1000;
const isScale = (a: number): boolean => a > 1e-3 && a < 1e3;

const FAMILIES: readonly Family[] = [
  // ELU and CELU: alpha (e^x - 1), and alpha (e^(x/alpha) - 1), below 0
  {
    parameters: (f) => [-f(FAR_BELOW)],
    allows: isScale,
    text: (alpha) => `max(x,0)+${alpha}*elu(min(x,0))`,
  },
  { parameters: (f) => [-f(FAR_BELOW)], allows: isScale, text: (alpha) => `${alpha}*elu(x/${alpha})` },
  // SELU: gamma times an ELU
  {
    parameters: (f) => [f(1), -f(FAR_BELOW) / f(1)],
    allows: (gamma, alpha) => isScale(gamma) && isScale(alpha),
    text: (gamma, alpha) => `${gamma}*(max(x,0)+${alpha}*elu(min(x,0)))`,
  },
  {
    parameters: (f) => [(f(2 ** -10) - f(0)) * 2 ** 10, f(0)],
    allows: (slope, middle) => slope > 1e-3 && middle > 1e-3 && middle < 0.999,
    text: (slope, middle) => `clamp(${slope}*x+${middle},0,1)`,
  },
  // x sigmoid(alpha x): sigmoid(alpha) = f(1)
  {
    parameters: (f) => [LOG.evaluate(f(1) / (1 - f(1)))],
    allows: (alpha) => alpha > 0.05 && alpha < 20,
    text: (alpha) => `x*sigmoid(${alpha}*x)`,
  },
  // whole powers are products, exact and cheap; negative ones have a pole where data may be
  {
    parameters: (f) => [LOG.evaluate(f(2)) / LOG.evaluate(2)],
    allows: (power) => power > 0 && power < 8 && !Number.isInteger(power),
    text: (power) => `x^${power}`,
  },
];

/** Parameters come out of binary64 arithmetic on constants of binary32. */
const PARAMETER_DIGITS = 7;

/** A function that recognises, and remembers: models repeat their layers. null for what no table can stand for. */
export function recogniser(): (text: string) => Recognised | null {
  const known = new Map<string, Recognised | null>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = recognise(text);
    known.set(text, found);
    return found;
  };
}

function recognise(text: string): Recognised | null {
  const fn = parse(text);
  if (fn === null) return null;
  if (functionNames().includes(fn.text)) return { kind: fn.text, is: "named" };
  const values = valuesOf(fn);
  const name = references().find((each) => agree(values, each.values))?.name;
  if (name !== undefined) return { kind: name, is: "named" };
  for (const family of FAMILIES) {
    const parameters = family.parameters(fn.evaluate).map((value) => Number(value.toPrecision(PARAMETER_DIGITS)));
    if (!family.allows(...parameters)) continue;
    const member = parseFn(family.text(...parameters));
    if (agree(values, valuesOf(member))) return { kind: member.text, is: "family" };
  }
  return isTame(fn, values.near) ? { kind: fn.text, is: "expression" } : null;
}

/** null for what fn/ cannot read: too long, too deep. */
function parse(text: string): Fn | null {
  try {
    return parseFn(text);
  } catch (error) {
    if (error instanceof LutraError && error.code === "bad-expression") return null;
    throw error;
  }
}

interface Values {
  readonly near: readonly number[];
  readonly far: readonly number[];
}

function valuesOf({ evaluate }: Fn): Values {
  return { near: POINTS.map(evaluate), far: FAR_POINTS.map(evaluate) };
}

let remembered: readonly { readonly name: string; readonly values: Values }[] | null = null;

function references(): NonNullable<typeof remembered> {
  remembered ??= functionNames().map((name) => ({ name, values: valuesOf(parseFn(name)) }));
  return remembered;
}

function agree(a: Values, b: Values): boolean {
  return agreeWithin(ABSOLUTE_TOLERANCE, a.near, b.near) && agreeWithin(FAR_TOLERANCE, a.far, b.far);
}

/** Equal to the tolerance at every point, and undefined and 0 at the same ones. */
function agreeWithin(absolute: number, a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => {
    const other = b[i];
    if (!Number.isFinite(value) || !Number.isFinite(other)) return Object.is(value, other);
    const tolerance = other === 0 ? 0 : absolute + RELATIVE_TOLERANCE * Math.abs(other);
    return Math.abs(value - other) <= tolerance;
  });
}

/** Whether lines can follow it wherever data may be: defined, bounded in slope, no jumps, and not itself a line. */
function isTame(fn: Fn, values: readonly number[]): boolean {
  if (fn.text.includes("where(") || !values.every((value) => Number.isFinite(value))) return false;
  const slope = fn.derivative();
  const slopes = POINTS.map((x) => slope.evaluate(x));
  return slopes.every((each) => Math.abs(each) <= STEEPEST) && slopes.some((each) => each !== slopes[0]);
}
