// Expressions compiled to closures, for the value in binary64.

import { assemble } from "./assemble.ts";
import type { Arithmetic, Expression, Extremum } from "./expression.ts";
import { shapeOf } from "./named.ts";
import { power } from "./reference/power.ts";
import { evaluateShape, type Shape } from "./shape.ts";

export type Evaluate = (x: number) => number;

export const CONSTANTS: Readonly<Record<"pi" | "e", number>> = { pi: Math.PI, e: Math.E };

/** The shape a call of an expression stands for. @throws RangeError if the order has none: the constructors make no such call */
export function shapeOfCall(name: string, order: number): Shape {
  const shape = shapeOf(name, order);
  if (shape === null) throw new RangeError(`${name} has no shape of order ${order}`);
  return shape;
}

/** A function that computes the expression. */
export function compile(a: Expression): Evaluate {
  return assemble(a, evaluateNode, 0);
}

function evaluateNode(a: Expression, partOf: (part: Expression) => Evaluate): Evaluate {
  switch (a.kind) {
    case "number":
      return () => a.value;
    case "constant":
      return () => CONSTANTS[a.name];
    case "x":
      return (x) => x;
    case "negate": {
      const of = partOf(a.of);
      return (x) => -of(x);
    }
    case "power": {
      const base = partOf(a.base);
      const { exponent } = a;
      return (x) => power(base(x), exponent);
    }
    case "call": {
      const shape = shapeOfCall(a.name, a.order);
      const of = partOf(a.of);
      return (x) => evaluateShape(shape, of(x));
    }
    case "where": {
      const [test, then, otherwise] = [partOf(a.test), partOf(a.then), partOf(a.otherwise)];
      return (x) => choose(test(x), then, otherwise, x);
    }
    default:
      return evaluateBinary(a.kind, partOf(a.left), partOf(a.right));
  }
}

/** Undefined where the test is: infinity minus infinity decides nothing. */
function choose(test: number, then: Evaluate, otherwise: Evaluate, x: number): number {
  if (Number.isNaN(test)) return Number.NaN;
  return test >= 0 ? then(x) : otherwise(x);
}

function evaluateBinary(kind: Arithmetic | Extremum, left: Evaluate, right: Evaluate): Evaluate {
  switch (kind) {
    case "add":
      return (x) => left(x) + right(x);
    case "subtract":
      return (x) => left(x) - right(x);
    case "multiply":
      return (x) => left(x) * right(x);
    case "divide":
      return (x) => left(x) / right(x);
    case "min":
      return (x) => Math.min(left(x), right(x));
    case "max":
      return (x) => Math.max(left(x), right(x));
    default:
      return kind satisfies never;
  }
}
