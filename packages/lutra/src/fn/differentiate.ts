// Symbolic derivatives, by the usual rules; those of named functions from their rules, by the chain rule.

import * as build from "./expression.ts";
import { type Expression, ONE, ZERO } from "./expression.ts";
import { ruleOf } from "./named.ts";
import { parseExpression } from "./parse.ts";

/** Derivatives already made: what occurs twice in an expression occurs once in memory in its derivatives too. */
const made = new WeakMap<Expression, Expression>();

/** The derivative, simplified by the constructors. At a kink: one of the two one-sided derivatives. */
export function differentiate(a: Expression): Expression {
  const known = made.get(a);
  if (known !== undefined) return known;
  const derivative = derive(a);
  made.set(a, derivative);
  return derivative;
}

function derive(a: Expression): Expression {
  switch (a.kind) {
    case "number":
    case "constant":
      return ZERO;
    case "x":
      return ONE;
    case "negate":
      return build.negate(differentiate(a.of));
    case "add":
      return build.add(differentiate(a.left), differentiate(a.right));
    case "subtract":
      return build.subtract(differentiate(a.left), differentiate(a.right));
    case "multiply": {
      const left = build.multiply(differentiate(a.left), a.right);
      return build.add(left, build.multiply(a.left, differentiate(a.right)));
    }
    case "divide":
      return quotientRule(a.left, a.right);
    case "power": {
      const outer = build.multiply(build.number(a.exponent), build.power(a.base, a.exponent - 1));
      return build.multiply(outer, differentiate(a.base));
    }
    case "call":
      return build.multiply(derivativeOf(a.name, a.order + 1, a.of), differentiate(a.of));
    case "min":
      return build.where(build.subtract(a.right, a.left), differentiate(a.left), differentiate(a.right));
    case "max":
      return build.where(build.subtract(a.left, a.right), differentiate(a.left), differentiate(a.right));
    case "where":
      return build.where(a.test, differentiate(a.then), differentiate(a.otherwise));
    default:
      return a satisfies never;
  }
}

/** u'/v - u v'/v^2, and u'/b^n - n u b'/b^(n+1) for v = b^n, so that a constant u leaves one term. */
function quotientRule(u: Expression, v: Expression): Expression {
  const first = build.divide(differentiate(u), v);
  const [base, exponent] = v.kind === "power" ? [v.base, v.exponent] : [v, 1];
  const inner = build.multiply(build.number(exponent), build.multiply(u, differentiate(base)));
  return build.subtract(first, build.divide(inner, build.power(base, exponent + 1)));
}

/** The derivative of the given order of a named function, at an argument. */
function derivativeOf(name: string, order: number, of: Expression): Expression {
  const { derivatives, definition } = ruleOf(name);
  const given = derivatives[order - 1];
  if (given !== undefined && typeof given !== "string") return build.call(name, order, of);
  if (given !== undefined) return build.substitute(parseExpression(given), of);
  const last = derivatives.at(-1);
  const isExpression = typeof last === "string";
  const source = isExpression ? last : definition;
  if (source === undefined) throw new RangeError(`the rule of ${name} ends in a Shape and has no definition`);
  let result = parseExpression(source);
  for (let i = isExpression ? derivatives.length : 0; i < order; i++) result = differentiate(result);
  return build.substitute(result, of);
}
