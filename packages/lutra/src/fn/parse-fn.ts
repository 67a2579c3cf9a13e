// The entry: text to Fn. Names stand for themselves, and an expression that spells out a named function becomes it.

import { LutraError } from "../base/index.ts";
import { call, type Expression, X } from "./expression.ts";
import { toFn } from "./function.ts";
import { RULES } from "./named.ts";
import { parseExpression, unknownName } from "./parse.ts";
import { print } from "./print.ts";
import { respell } from "./respell.ts";
import { ROW_FUNCTIONS } from "./row.ts";
import type { Fn } from "./types.ts";

/** Words and hyphens only, and more than x, pi and e: meant as a name. */
const NAME_LIKE = /^[A-Za-z_][A-Za-z_0-9-]*$/;
const CONSTANT_WORDS = /^(?:x|pi|e|\d+)(?:-(?:x|pi|e|\d+))*$/;

/**
 * The function a text means: a name of functionNames(), or an expression in x such as `x*sigmoid(1.702*x)`: + - * / ^, parentheses,
 * numbers, pi, e, and calls of named functions, abs, relu, erfc, expm1, log1p, min, max, pow, clamp, where(test, then, otherwise).
 *
 *     parseFn("gelu").evaluate(1)                          // 0.8413447460685429
 *     parseFn("x*sigmoid(1.702*x)").text                   // "quick-gelu"
 *
 * @throws LutraError "bad-expression"; `where` has the column, `note` the text with a caret and what to do
 */
export function parseFn(text: string): Fn {
  const name = text.trim();
  if (RULES.has(name)) return toFn(call(name, 0, X));
  if (ROW_FUNCTIONS.includes(name)) {
    throw new LutraError("bad-expression", `${name} is a function of a row, not of one number`, {
      where: `column 1 of "${text}"`,
      note: "layers of a row are compiled from a model; the functions inside it are exp, reciprocal, log and rsqrt",
    });
  }
  if (NAME_LIKE.test(name) && !CONSTANT_WORDS.test(name) && !/^x-./.test(name)) throw unknownName(name, 0, name);
  const expression = parseExpression(text);
  const known = spellings().get(print(expression));
  return toFn(known === undefined ? respell(expression) : call(known, 0, X));
}

let recognised: ReadonlyMap<string, string> | null = null;

/** Canonical text of every definition and spelling, to the name it spells. */
function spellings(): ReadonlyMap<string, string> {
  recognised ??= new Map(
    [...RULES].flatMap(([name, { definition, spellings: others = [] }]) =>
      [...(definition === undefined ? [] : [definition]), ...others].map((text) => [canonical(text), name] as const),
    ),
  );
  return recognised;
}

function canonical(text: string): string {
  const expression: Expression = parseExpression(text);
  return print(expression);
}
