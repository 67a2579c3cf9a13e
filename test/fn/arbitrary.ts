// Random expressions as text, for properties.

import fc from "fast-check";
import { functionNames } from "../../packages/lutra/src/fn/index.ts";

const unary = [...functionNames(), "abs", "relu", "expm1", "log1p", "erfc"];
const leaf = fc.oneof(
  fc.constantFrom("x", "x", "x", "pi", "e", "0", "1", "-1", "2", "0.5", "1.702", "1e-3", ".25"),
  fc.integer({ min: -9, max: 9 }).map(String),
);

/** Text of an expression in x: every operator, every function, odd spacing and needless parentheses. */
export const expressionText: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    leaf,
    fc
      .tuple(tie("node"), fc.constantFrom("+", "-", "*", "/", " + ", " - "), tie("node"))
      .map((parts) => parts.join("")),
    tie("node").map((a) => `(${a})`),
    tie("node").map((a) => `-(${a})`),
    fc.tuple(tie("node"), fc.constantFrom("2", "3", "-1", "-2", "0.5", "1.3", "0", "1")).map(([a, p]) => `(${a})^${p}`),
    fc.tuple(fc.constantFrom(...unary), tie("node")).map(([name, a]) => `${name}( ${a})`),
    fc.tuple(fc.constantFrom("min", "max"), tie("node"), tie("node")).map(([name, a, b]) => `${name}(${a}, ${b})`),
    fc.tuple(tie("node"), tie("node"), tie("node")).map(([a, b, c]) => `where(${a},${b},${c})`),
  ),
})).node;
