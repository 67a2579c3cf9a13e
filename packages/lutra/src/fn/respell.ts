// Named functions spelled out inside an expression, with any argument u: the name instead, which does not overflow (log(1 + e^u)), and
// where u occurs once, so that enclosures stay tight. The same real function throughout.

import { call, divide, type Expression, mapParts, multiply, negate, number, ONE, same } from "./expression.ts";

/** The expression with every such part replaced, the inner ones first. */
export function respell(a: Expression): Expression {
  const inside = mapParts(a, respell);
  return complement(inside) ?? logistic(inside) ?? softplus(inside) ?? gated(inside) ?? regrouped(inside);
}

/** A product whose numbers have moved to its front may have brought a gate and its argument together. */
function regrouped(a: Expression): Expression {
  if (a.kind !== "multiply" || a.left.kind !== "number") return a;
  const inner = gated(a.right);
  return inner === null ? a : multiply(a.left, inner);
}

/** 1 + erf(u) as erfc(-u), 1 + tanh(u) as 2 sigmoid(2 u), 1 - sigmoid(u) as sigmoid(-u), e^u - 1 as expm1(u): nothing cancels then. */
function complement(a: Expression): Expression | null {
  if (a.kind === "subtract" && same(a.right, ONE) && isCall(a.left, "exp")) return call("expm1", 0, a.left.of);
  const of = a.kind === "add" ? (same(a.left, ONE) ? a.right : same(a.right, ONE) ? a.left : null) : null;
  const u = of ?? (a.kind === "subtract" && same(a.left, ONE) ? a.right : null);
  if (u?.kind !== "call" || u.order !== 0) return null;
  const outward = of === null ? negate(u.of) : u.of;
  if (u.name === "erf") return call("erfc", 0, negate(outward));
  if (u.name === "tanh") return multiply(TWO, call("sigmoid", 0, multiply(TWO, outward)));
  return u.name === "sigmoid" && of === null ? call("sigmoid", 0, outward) : null;
}

const TWO = number(2);

/** a / (1 + e^v) as a sigmoid(-v). */
function logistic(a: Expression): Expression | null {
  if (a.kind !== "divide") return null;
  const exponent = exponentOfOnePlus(a.right);
  if (exponent === null) return null;
  const sigmoid = call("sigmoid", 0, negate(exponent));
  const result = multiply(a.left, sigmoid);
  return gated(result) ?? result;
}

/** log(1 + e^v) and log1p(e^v). */
function softplus(a: Expression): Expression | null {
  if (!isCall(a, "log") && !isCall(a, "log1p")) return null;
  const exponent = a.name === "log" ? exponentOfOnePlus(a.of) : isCall(a.of, "exp") ? a.of.of : null;
  return exponent === null ? null : call("softplus", 0, exponent);
}

/** v, if the expression is 1 + e^v. */
function exponentOfOnePlus(a: Expression): Expression | null {
  if (a.kind !== "add") return null;
  const [one, power] = same(a.left, ONE) ? [a.left, a.right] : [a.right, a.left];
  return same(one, ONE) && isCall(power, "exp") ? power.of : null;
}

/** u sigmoid(c u) as silu(c u) / c, and u tanh(softplus(u)) as mish(u). */
function gated(a: Expression): Expression | null {
  if (a.kind !== "multiply") return null;
  return gatedBy(a.left, a.right) ?? gatedBy(a.right, a.left);
}

function gatedBy(u: Expression, gate: Expression): Expression | null {
  if (gate.kind !== "call" || gate.order !== 0) return null;
  const { of } = gate;
  if (gate.name === "tanh") return isCall(of, "softplus") && same(of.of, u) ? call("mish", 0, u) : null;
  if (gate.name !== "sigmoid") return null;
  const silu = call("silu", 0, of);
  if (same(of, u)) return silu;
  if (of.kind === "multiply" && of.left.kind === "number" && same(of.right, u)) return divide(silu, of.left);
  return of.kind === "divide" && of.right.kind === "number" && same(of.left, u) ? multiply(of.right, silu) : null;
}

/** A call of the function itself, not of a derivative. */
function isCall(a: Expression, name: string): a is Extract<Expression, { readonly kind: "call" }> {
  return a.kind === "call" && a.name === name && a.order === 0;
}
