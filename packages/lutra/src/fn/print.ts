// Expression to text: as few parentheses as the parser needs to give the same tree back.

import type { Arithmetic, Expression } from "./expression.ts";

const SUM = 1;
const PRODUCT = 2;
const SIGN = 3;
const POWER = 4;
const ATOM = 5;

const INFIX: Readonly<Record<Arithmetic, { readonly sign: string; readonly level: number }>> = {
  add: { sign: "+", level: SUM },
  subtract: { sign: "-", level: SUM },
  multiply: { sign: "*", level: PRODUCT },
  divide: { sign: "/", level: PRODUCT },
};

/** The canonical text: parsing it gives an equal tree. */
export function print(a: Expression): string {
  return render(a).text;
}

interface Rendered {
  readonly text: string;
  /** How tightly the outermost operator binds. */
  readonly level: number;
}

function atLeast(a: Expression, level: number): string {
  const { text, level: own } = render(a);
  return own < level ? `(${text})` : text;
}

function render(a: Expression): Rendered {
  switch (a.kind) {
    case "number":
      return { text: String(a.value), level: a.value < 0 ? SIGN : ATOM };
    case "constant":
      return { text: a.name, level: ATOM };
    case "x":
      return { text: "x", level: ATOM };
    case "negate":
      return { text: `-${atLeast(a.of, SIGN)}`, level: SIGN };
    case "power":
      return { text: `${atLeast(a.base, ATOM)}^${a.exponent}`, level: POWER };
    case "call":
      return { text: `${a.name}${"'".repeat(a.order)}(${print(a.of)})`, level: ATOM };
    case "where":
      return { text: `where(${print(a.test)},${print(a.then)},${print(a.otherwise)})`, level: ATOM };
    case "min":
    case "max":
      return { text: `${a.kind}(${print(a.left)},${print(a.right)})`, level: ATOM };
    default: {
      const infix = INFIX[a.kind];
      // Operators associate to the left, so an equal level needs parentheses on the right only.
      const text = `${atLeast(a.left, infix.level)}${infix.sign}${atLeast(a.right, infix.level + 1)}`;
      return { text, level: infix.level };
    }
  }
}
