// A kernel as source text: its tables as functions, then a function of one value where it is elementwise, and one over arrays. A value
// per element is computed anew in every loop that needs it: rows need no memory of their own, and an output may lie on its input.

import { LutraError } from "../../base/index.ts";
import { type Kernel, tablesOf, type Value, verify } from "../../kernel/index.ts";
import type { Table } from "../../table/index.ts";
import { arithmetic, typeOf } from "./arithmetic.ts";
import type { ArraysSignature, Dialect, Parameter } from "./dialect.ts";
import { addFloatTable } from "./float-table.ts";
import { addIntegerTable } from "./integer-table.ts";
import { writeReduction } from "./reduction.ts";
import { Body, Source } from "./source.ts";

export interface Written {
  /** Arrays, helpers, functions of tables; of an elementwise kernel the function of one value, under the kernel's name. */
  readonly text: string;
  /** The function over arrays: NAME_array of an elementwise kernel, NAME_rows of others. */
  readonly overArrays: string;
  readonly signature: ArraysSignature;
}

/** @throws LutraError "mismatch" if a hole is empty, "unsupported" for what no text is written for */
export function writeKernel(kernel: Kernel, name: string, dialect: Dialect): Written {
  verify(kernel);
  const source = new Source(dialect, name);
  const writer = new KernelWriter(kernel, source);
  const { signature } = writer;
  if (signature.isOverRows) {
    const overArrays = dialect.overArrays(signature, writer.rowLines());
    return { text: source.finish(), overArrays, signature };
  }
  if (!isOneLookup(kernel)) {
    source.add(dialect.func(name, signature.parameters, signature.result, writer.valueLines()));
  }
  return { text: source.finish(), overArrays: dialect.overArrays(signature, writer.arrayLines()), signature };
}

/** What may stand in a name of C and TypeScript; it may begin with a digit. */
export function identifier(text: string): string {
  return text.match(/[A-Za-z0-9]+/g)?.join("_") ?? "f";
}

/** A kernel that is one table needs no function but the table's. */
function isOneLookup({ values, results }: Kernel): boolean {
  return values.length === 2 && values[1]?.op === "lookup" && results[0] === 1;
}

type Param = Extract<Value, { op: "param" }>;

class KernelWriter {
  readonly signature: ArraysSignature;
  readonly #kernel: Kernel;
  readonly #source: Source;
  readonly #result: number;
  /** The function of each hole's table. */
  readonly #functions: ReadonlyMap<string, string>;
  /** Names of the values that are computed so far, by index. */
  readonly #names = new Map<number, string>();

  constructor(kernel: Kernel, source: Source) {
    const [result, ...others] = kernel.results;
    const value = kernel.values[result as number] as Value;
    if (others.length > 0 || value.over !== "element") {
      throw new LutraError("unsupported", "source code is written for kernels with one result per element");
    }
    this.#kernel = kernel;
    this.#source = source;
    this.#result = result as number;
    this.#functions = addTables(source, kernel);
    const isOverRows = kernel.values.some(({ op, over }) => op === "reduce" || over === "row" || over === "column");
    this.signature = {
      name: source.dialect.name(source.prefix, isOverRows ? "rows" : "array"),
      parameters: parametersOf(kernel),
      result: value.lane,
      isOverRows,
    };
  }

  /** Of the function of one value. */
  valueLines(): readonly string[] {
    const body = this.#body();
    this.#write(body, this.#cone(this.#result), (name) => name);
    return [...body.lines, `return ${this.#names.get(this.#result)};`];
  }

  /** Of a loop over the function of one value. */
  arrayLines(): readonly string[] {
    const { dialect } = this.#source;
    const args = this.signature.parameters.map(({ name, over }) => (over === "one" ? name : dialect.at(name, "i")));
    const value = `${this.#source.prefix}(${args.join(", ")})`;
    return [dialect.loop("i", "n"), `  ${dialect.store(this.signature.result, "i", value)}`, "}"];
  }

  rowLines(): readonly string[] {
    const { dialect } = this.#source;
    const { values } = this.#kernel;
    const body = this.#body();
    const indices = values.map((_, i) => i);
    const over = (wanted: string): number[] => indices.filter((i) => values[i]?.over === wanted);
    this.#write(body, over("one"), (name) => name);
    body.block(dialect.loop("r", "rows"), (row) => {
      for (const i of over("row")) {
        const value = values[i] as Value;
        if (value.op === "reduce") this.#names.set(i, this.#reduce(row, value));
        else this.#write(row, [i], (name) => dialect.at(name, "r"));
      }
      row.block(dialect.loop("c", "columns"), (inner) => {
        const y = this.#element(inner, this.#result, "c");
        inner.lines.push(dialect.store(this.signature.result, "r * columns + c", y));
      });
    });
    return body.lines;
  }

  #body(): Body {
    return new Body(this.#source, new Map(this.signature.parameters.map(({ name }) => [name, 1])));
  }

  #reduce(row: Body, value: Value & { readonly op: "reduce" }): string {
    return writeReduction(row, value, (inner, place) => this.#element(inner, value.args[0], place));
  }

  /** A value of one element, with all that it needs; its name. */
  #element(body: Body, index: number, place: string): string {
    const { dialect } = this.#source;
    const inLoop = this.#cone(index).filter((i) =>
      ["element", "column"].includes((this.#kernel.values[i] as Value).over),
    );
    this.#write(body, inLoop, (name, over) => dialect.at(name, over === "column" ? place : `r * columns + ${place}`));
    return this.#names.get(index) as string;
  }

  /** Writes values in order. `read` is the text of a param. */
  #write(body: Body, indices: readonly number[], read: (name: string, over: Value["over"]) => string): void {
    for (const i of indices) {
      const value = this.#kernel.values[i] as Value;
      this.#names.set(i, this.#statement(body, value, i, read));
    }
  }

  #statement(body: Body, value: Value, i: number, read: (name: string, over: Value["over"]) => string): string {
    const { dialect } = this.#source;
    const type = typeOf(value.lane);
    switch (value.op) {
      case "param": {
        const text = read(parameterName(value.name), value.over);
        return type === "f32" && text === parameterName(value.name) ? text : body.name(type, `v${i}`, text);
      }
      case "const":
        return dialect.literal(type, value.value);
      case "lookup":
        return body.name(type, `v${i}`, `${this.#functions.get(value.hole)}(${this.#names.get(value.args[0])})`);
      case "reduce":
        throw new TypeError("a reduction is written as a loop");
      default: {
        const args = value.args.map((arg) => ({
          text: this.#names.get(arg) as string,
          lane: (this.#kernel.values[arg] as Value).lane,
        }));
        return body.name(type, `v${i}`, arithmetic(this.#source, value, args));
      }
    }
  }

  /** The value and all that it is computed from without a reduction between, in order. */
  #cone(result: number): readonly number[] {
    const { values } = this.#kernel;
    const found = new Set<number>();
    const visit = (i: number): void => {
      const value = values[i] as Value;
      if (found.has(i) || value.op === "reduce") return;
      found.add(i);
      if ("args" in value) value.args.forEach(visit);
    };
    visit(result);
    return [...found].sort((a, b) => a - b);
  }
}

function parametersOf({ values }: Kernel): readonly Parameter[] {
  const params = values.filter((value): value is Param => value.op === "param");
  return params.map(({ name, lane, over }) => ({ name: parameterName(name), lane, over }));
}

/** What the text itself calls things. */
const OWN_NAMES: readonly string[] = ["c", "columns", "first", "i", "j", "length", "n", "r", "rows", "y"];

function parameterName(name: string): string {
  const plain = identifier(name);
  return OWN_NAMES.includes(plain) ? `in_${plain}` : plain;
}

function addTables(source: Source, kernel: Kernel): ReadonlyMap<string, string> {
  const isOne = isOneLookup(kernel);
  return new Map(
    Object.entries(tablesOf(kernel)).map(([hole, table]) => {
      const part = identifier(hole);
      const name = isOne ? source.prefix : source.dialect.name(source.prefix, part);
      addTable(source, table, name, isOne ? "" : `${part}_`);
      return [hole, name];
    }),
  );
}

function addTable(source: Source, table: Table, name: string, part: string): void {
  const { input, output } = table.spec;
  if (input.kind === "integer" && output.kind === "integer") {
    addIntegerTable(source, { table, input, output }, name, part);
  } else addFloatTable(source, table, name, part);
}
