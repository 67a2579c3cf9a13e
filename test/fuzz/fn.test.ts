// The expression parser on mutated expressions. What it accepts keeps Fn's promises of form: its text is canonical, it evaluates anywhere.

import { expect, test } from "vitest";
import { functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import { mutateText, pick } from "./mutate.ts";
import { survives } from "./survive.ts";

const EXPRESSIONS = [
  "x*sigmoid(1.702*x)",
  "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))",
  "where(x, log1p(exp(-x)), max(x, min(1e-3, .25)))",
  "-(x - 1)^-2 / (abs(x) + e)",
  "((((((x))))))",
];
const WORDS = [
  ...functionNames(),
  ...[
    "x",
    "e",
    "pi",
    "(",
    ")",
    "((",
    "))",
    "+",
    "-",
    "*",
    "/",
    "^",
    ",",
    " ",
    ".",
    "1e",
    "1e999",
    "-1",
    "0",
    "^x",
    "^-",
  ],
  ...["where(", "min(", "max(", "erfc(", "constructor", "toString(", "é", "\u0000", "😀", "--", "x^x^x", "1/0"],
];

test("parseFn survives sampled mutations of expressions, and what it accepts keeps its text and evaluates", async () => {
  const { cases, accepted } = await survives("expressions", {
    share: 0.12,
    make: (draw) => mutateText(pick(EXPRESSIONS, draw), WORDS, draw),
    read(text) {
      const fn = parseFn(text);
      expect(parseFn(fn.text).text).toBe(fn.text);
      for (const at of [-Infinity, -1, 0, 0.5, Infinity]) fn.evaluate(at);
      fn.enclose({ lo: -1, hi: 2 });
      fn.derivative().evaluate(0.5);
    },
    show: (text) => JSON.stringify(text),
  });
  expect(accepted).toBeGreaterThan(cases / 20);
});

test("parseFn survives sampled expressions without end", async () => {
  await survives("long expressions", {
    share: 0.001,
    make: (draw) =>
      `${pick(["(", "-", "x+", "x*", "x^", "tanh(", "min(x,", "9", "x/(", "where(x,"], draw).repeat(1 + draw.below(20_000))}x`,
    read: parseFn,
    show: (text) => `${text.slice(0, 20)}... of ${text.length}`,
  });
});
