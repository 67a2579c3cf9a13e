// Expressions compiled to closures, for the value in binary64. Parts without x are evaluated once.

import { type Arithmetic, type Expression, type Extremum, hasX } from "./expression.ts";
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
  const run = compileNode(a);
  if (hasX(a)) return run;
  const value = run(0);
  return () => value;
}

function compileNode(a: Expression): Evaluate {
  switch (a.kind) {
    case "number":
      return () => a.value;
    case "constant":
      return () => CONSTANTS[a.name];
    case "x":
      return (x) => x;
    case "negate": {
      const of = compile(a.of);
      return (x) => -of(x);
    }
    case "power": {
      const base = compile(a.base);
      const { exponent } = a;
      if (exponent === 2) {
        return (x) => {
          const y = base(x);
          return y * y;
        };
      }
      return (x) => power(base(x), exponent);
    }
    case "call": {
      const shape = shapeOfCall(a.name, a.order);
      const of = compile(a.of);
      return (x) => evaluateShape(shape, of(x));
    }
    case "where": {
      const [test, then, otherwise] = [compile(a.test), compile(a.then), compile(a.otherwise)];
      return (x) => (test(x) >= 0 ? then(x) : otherwise(x));
    }
    default:
      return compileBinary(a.kind, compile(a.left), compile(a.right));
  }
}

function compileBinary(kind: Arithmetic | Extremum, left: Evaluate, right: Evaluate): Evaluate {
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
