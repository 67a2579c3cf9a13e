// Text to expression, by recursive descent. Every error says at which column, shows the place, and says what was expected.
//   sum     = product (("+" | "-") product)*
//   product = signed (("*" | "/") signed)*
//   signed  = ("-" | "+") signed | power
//   power   = atom ("^" signed)?          the exponent must be a constant
//   atom    = number | "pi" | "e" | "x" | name "'"* "(" sum ("," sum)* ")" | "(" sum ")"

import { LutraError } from "../base/index.ts";
import type { Expression } from "./expression.ts";
import * as build from "./expression.ts";
import { ARITY, callable, nearestName, RULES, shapeOf } from "./named.ts";

/** Longest expression in characters. */
const MAX_LENGTH = 500;
/** Deepest nesting: the parser and everything after it recurse. */
const MAX_DEPTH = 64;
/** Largest whole exponent; repeated multiplication beyond is no longer within a few hundred ulp. */
const MAX_EXPONENT = 1024;

const NUMBER = /(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][A-Za-z_0-9]*/y;
/** Longest first, so that gelu-tanh is not read as gelu minus tanh. */
const NAMES: readonly string[] = [...callable()].sort((a, b) => b.length - a.length);

/** @throws LutraError "bad-expression", with where and note */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) {
    throw new LutraError("bad-expression", `an expression has at most ${MAX_LENGTH} characters, got ${text.length}`);
  }
  return new Parser(text).parse();
}

/** An error at a character of an expression. */
function errorAtCharacter(text: string, position: number, message: string, hint = ""): LutraError {
  const from = Math.max(0, position - 60);
  const shown = text.slice(from, position + 20);
  const caret = `${shown}\n${" ".repeat(position - from)}^`;
  return new LutraError("bad-expression", message, {
    where: `column ${position + 1} of "${text}"`,
    note: hint === "" ? caret : `${caret}\n${hint}`,
  });
}

class Parser {
  private readonly text: string;
  private position = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  parse(): Expression {
    this.skipSpace();
    if (this.position === this.text.length) throw this.error("the expression is empty", `try "gelu" or "x*sigmoid(x)"`);
    const result = this.sum();
    if (this.position < this.text.length) throw this.unexpected();
    return result;
  }

  private error(message: string, hint = "", position = this.position): LutraError {
    return errorAtCharacter(this.text, position, message, hint);
  }

  private unexpected(): LutraError {
    const character = this.text[this.position];
    if (character === ")") return this.error("this parenthesis closes nothing");
    if (character === ",") return this.error("a comma belongs between the arguments of a function");
    if (/[\w.(]/.test(character)) return this.error(`an operator is missing before "${character}"`);
    return this.error(`unexpected character "${character}"`);
  }

  private skipSpace(): void {
    while (/\s/.test(this.text.charAt(this.position))) this.position++;
  }

  /** Takes a character if it comes next. */
  private take(character: string): boolean {
    if (this.text[this.position] !== character) return false;
    this.position++;
    this.skipSpace();
    return true;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.position += found[0].length;
    this.skipSpace();
    return found[0];
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    const result = read();
    this.depth--;
    return result;
  }

  private sum(): Expression {
    let left = this.product();
    for (;;) {
      if (this.take("+")) left = build.add(left, this.product());
      else if (this.take("-")) left = build.subtract(left, this.product());
      else return left;
    }
  }

  private product(): Expression {
    let left = this.signed();
    for (;;) {
      if (this.take("*")) {
        if (this.text[this.position] === "*") throw this.error("a power is written ^, not **", "", this.position - 1);
        left = build.multiply(left, this.signed());
      } else if (this.take("/")) left = build.divide(left, this.signed());
      else return left;
    }
  }

  private signed(): Expression {
    if (this.take("-")) return build.negate(this.nested(() => this.signed()));
    if (this.take("+")) return this.nested(() => this.signed());
    const base = this.atom();
    const at = this.position;
    if (!this.take("^")) return base;
    return this.raise(
      base,
      this.nested(() => this.signed()),
      at,
    );
  }

  private raise(base: Expression, exponent: Expression, at: number): Expression {
    const value = constantValue(exponent);
    if (value === null) {
      throw this.error("an exponent must be a constant number", "x^x can be written exp(x*log(x))", at + 1);
    }
    if (!Number.isFinite(value) || Math.abs(value) > MAX_EXPONENT) {
      throw this.error(`an exponent must lie between -${MAX_EXPONENT} and ${MAX_EXPONENT}, got ${value}`, "", at + 1);
    }
    return build.power(base, value);
  }

  private atom(): Expression {
    const start = this.position;
    const digits = this.match(NUMBER);
    if (digits !== null) {
      const value = Number(digits);
      if (!Number.isFinite(value)) throw this.error(`the number ${digits} is too large`, "", start);
      return build.number(value);
    }
    if (this.take("(")) {
      const inner = this.nested(() => this.sum());
      this.close(start);
      return inner;
    }
    const name = this.name();
    if (name === null) throw this.hole();
    if (name === "x") return build.X;
    if (name === "pi" || name === "e") return { kind: "constant", name };
    return this.callOf(name, start);
  }

  private hole(): LutraError {
    const character = this.text[this.position];
    const found = character === undefined ? "the expression ends" : `found "${character}"`;
    return this.error(`a number, x, a function or a parenthesis is missing here: ${found}`);
  }

  /** The longest function name that starts here, or else a plain word. */
  private name(): string | null {
    const rest = this.text.slice(this.position, this.position + 40);
    const known = NAMES.find((name) => rest.startsWith(name) && !/^[A-Za-z_0-9]/.test(rest.slice(name.length)));
    if (known === undefined) return this.match(WORD);
    this.position += known.length;
    this.skipSpace();
    return known;
  }

  private close(start: number): void {
    if (this.take(")")) return;
    if (this.position < this.text.length) throw this.unexpected();
    throw this.error("this parenthesis is never closed", "", start);
  }

  private callOf(name: string, start: number): Expression {
    const arity = RULES.has(name) ? 1 : ARITY[name];
    if (arity === undefined) throw unknownName(this.text, start, name);
    let order = 0;
    while (this.take("'")) order++;
    if (order > 0 && (arity > 1 || shapeOf(name, order) === null)) {
      throw this.error(`${name}${"'".repeat(order)} has no name of its own: write it as an expression`, "", start);
    }
    const open = this.position;
    if (!this.take("(")) throw this.error(`${name} needs its argument in parentheses: ${name}(x)`, "", start);
    const list = this.nested(() => this.list());
    this.close(open);
    if (list.length !== arity) {
      throw this.error(`${name} takes ${arity} argument${arity > 1 ? "s" : ""}, got ${list.length}`, "", start);
    }
    return arity === 1 ? build.call(name, order, list[0]) : this.several(name, list, start);
  }

  private list(): Expression[] {
    const list = [this.sum()];
    while (this.take(",")) list.push(this.sum());
    return list;
  }

  private several(name: string, list: readonly Expression[], start: number): Expression {
    const [a, b, c] = list as [Expression, Expression, Expression];
    switch (name) {
      case "min":
        return build.minimum(a, b);
      case "max":
        return build.maximum(a, b);
      case "clamp":
        return build.minimum(build.maximum(a, b), c);
      case "pow":
        return this.raise(a, b, start - 1);
      default:
        return build.where(a, b, c);
    }
  }
}

/** An unknown name, with the nearest known one and the list of all. */
export function unknownName(text: string, position: number, name: string): LutraError {
  const suggestion = nearestName(name, [...callable(), "x", "pi", "e"]);
  const hint = `did you mean ${suggestion}? Functions: ${callable().join(", ")}; constants: pi, e; variable: x`;
  return errorAtCharacter(text, position, `unknown function or variable "${name}"`, hint);
}

/** The value of an expression of numbers alone, such as -3 or 1/2; null if it holds anything else. */
function constantValue(a: Expression): number | null {
  if (a.kind === "number") return a.value;
  if (a.kind === "negate") {
    const of = constantValue(a.of);
    return of === null ? null : -of;
  }
  if (a.kind === "add" || a.kind === "subtract" || a.kind === "multiply" || a.kind === "divide") {
    const left = constantValue(a.left);
    const right = constantValue(a.right);
    if (left === null || right === null) return null;
    if (a.kind === "add") return left + right;
    if (a.kind === "subtract") return left - right;
    return a.kind === "multiply" ? left * right : left / right;
  }
  return null;
}
