// A file of source text in the making: constant arrays and functions in order, the helpers they call, and the body of one function.

import type { Lane } from "../../kernel/index.ts";
import type { Rounding } from "../../table/index.ts";
import type { Dialect, Helper, Type } from "./dialect.ts";

export class Source {
  readonly dialect: Dialect;
  /** The name that all others in the file begin with. */
  readonly prefix: string;
  readonly #parts: string[] = [];
  readonly #helpers = new Map<Helper, string>();

  constructor(dialect: Dialect, prefix: string) {
    this.dialect = dialect;
    this.prefix = prefix;
  }

  /** The name of a helper, which is written before the first function that calls it. */
  helper(helper: Helper): string {
    const name = this.dialect.name(this.prefix, helper.replaceAll("-", "_"));
    if (!this.#helpers.has(helper)) {
      this.#helpers.set(helper, "");
      this.#helpers.set(
        helper,
        this.dialect.helper(helper, (other) => this.helper(other)),
      );
      this.add(this.#helpers.get(helper) as string);
    }
    return name;
  }

  /** The helper that rounds a quotient of integers held in the type. */
  sized(what: "divide" | "shift", rounding: Rounding = "floor", type: Type): string {
    const size = type === "i32" && this.dialect.hasSizes ? "32" : "";
    return this.helper(`${what}${size}-${rounding}`);
  }

  /** condition ? a : b of binary32. */
  choose(condition: string, a: string, b: string): string {
    return this.dialect.choose(condition, a, b, (helper) => this.helper(helper));
  }

  /** The name of a constant array. */
  list(lane: Lane, part: string, values: readonly number[]): string {
    const name = this.dialect.name(this.prefix, part);
    this.add(this.dialect.list(lane, name, values));
    return name;
  }

  add(part: string): void {
    this.#parts.push(part);
  }

  finish(): string {
    return this.#parts.join("\n\n");
  }
}

/** Statements in order, each value under a name of its own. */
export class Body {
  readonly source: Source;
  readonly lines: string[] = [];
  readonly #taken: Map<string, number>;

  constructor(source: Source, taken: Map<string, number> = new Map()) {
    this.source = source;
    this.#taken = taken;
  }

  get dialect(): Dialect {
    return this.source.dialect;
  }

  /** A name for the value: the hint, with a number where it is taken. */
  let(type: Type, hint: string, value: string): string {
    const name = this.fresh(hint);
    this.lines.push(this.dialect.declare(type, name, value));
    return name;
  }

  /** Under exactly this name, which no other value of the block and none around it has. */
  name(type: Type, name: string, value: string): string {
    this.lines.push(this.dialect.declare(type, name, value));
    return name;
  }

  fresh(hint: string): string {
    const count = (this.#taken.get(hint) ?? 0) + 1;
    this.#taken.set(hint, count);
    return count === 1 ? hint : `${hint}${count}`;
  }

  /** A block inside this one: statements that it begins, those that `fill` writes, "}". */
  block(opening: string, fill: (inner: Body) => void): void {
    const inner = new Body(this.source, this.#taken);
    fill(inner);
    this.lines.push(opening, ...inner.lines.map((line) => `  ${line}`), "}");
  }
}
