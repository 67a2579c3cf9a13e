// A kernel as source text: its tables as functions, then a function of one value where it is elementwise, and one over arrays. A value
// per element is computed anew in every loop that needs it, or kept in the output (passes.ts): rows need no memory of their own, and an
// output may lie on its input.

import { LutraError } from "../../base/index.ts";
import { type Kernel, ranges, simplify, tablesOf, type Value } from "../../kernel/index.ts";
import type { Interval } from "../../num/index.ts";
import type { Table } from "../../table/index.ts";
import { arithmetic, typeOf } from "./arithmetic.ts";
import type { ArraysSignature, Dialect, Parameter, Type } from "./dialect.ts";
import { addFloatTable } from "./float-table.ts";
import { addIntegerTable } from "./integer-table.ts";
import { coneOf, type Kept, keptValue } from "./passes.ts";
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
export function writeKernel(given: Kernel, name: string, dialect: Dialect): Written {
  const kernel = simplify(given);
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
  /** What each value can be; null for binary32. */
  readonly #ranges: readonly (Interval | null)[];
  /** The value that the output holds until its answers come, and whether it does so by now. */
  readonly #kept: Kept | null;
  #isStored = false;

  constructor(kernel: Kernel, source: Source) {
    const [result, ...others] = kernel.results;
    const value = kernel.values[result as number] as Value;
    if (others.length > 0 || value.over !== "element") {
      throw new LutraError("unsupported", "source code is written for kernels with one result per element");
    }
    this.#kernel = kernel;
    this.#source = source;
    this.#result = result as number;
    this.#ranges = ranges(kernel);
    this.#kept = keptValue(kernel);
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
    this.#write(body, coneOf(this.#kernel, this.#result), (name) => name);
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
        if (value.op === "reduce") this.#names.set(i, this.#reduce(row, value, i));
        else this.#write(row, [i], (name) => dialect.at(name, "r"));
        this.#isStored ||= this.#kept?.from === i;
      }
      row.block(dialect.loop("c", "columns"), (inner) => {
        this.#element(inner, this.#result, "c");
        this.#store(inner, this.#result, "c");
      });
    });
    return body.lines;
  }

  #body(): Body {
    return new Body(this.#source, new Map(this.signature.parameters.map(({ name }) => [name, 1])));
  }

  #reduce(row: Body, value: Value & { readonly op: "reduce" }, i: number): string {
    const of = { value, over: this.#ranges[value.args[0]] as Interval | null, maxRow: this.#kernel.spec.maxRow ?? 1 };
    return writeReduction(row, of, (inner, place) => {
      const name = this.#element(inner, value.args[0], place);
      if (this.#kept?.from === i) this.#store(inner, this.#kept.value, place);
      return name;
    });
  }

  /** A value of one element, with all that it needs; its name. */
  #element(body: Body, index: number, place: string): string {
    const { dialect } = this.#source;
    const stored = this.#isStored && this.#kept !== null ? [this.#kept.value] : [];
    const inLoop = coneOf(this.#kernel, index, stored).filter((i) =>
      ["element", "column"].includes((this.#kernel.values[i] as Value).over),
    );
    for (const i of inLoop) {
      if (stored.includes(i)) this.#names.set(i, body.name(this.#typeAt(i), `v${i}`, dialect.at("y", at(place))));
      else this.#write(body, [i], (name, over) => dialect.at(name, over === "column" ? place : at(place)));
    }
    return this.#names.get(index) as string;
  }

  /** Puts a value of an element that has a name into the output. */
  #store(body: Body, index: number, place: string): void {
    const { dialect } = this.#source;
    body.lines.push(dialect.store(this.signature.result, at(place), this.#names.get(index) as string));
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
    const type = this.#typeAt(i);
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
          type: this.#typeAt(arg),
          range: this.#ranges[arg] as Interval | null,
        }));
        const text = arithmetic(this.#source, { value, type }, args);
        // A cast that changes nothing is its argument.
        return args.some((arg) => arg.text === text) ? text : body.name(type, `v${i}`, text);
      }
    }
  }

  #typeAt(i: number): Type {
    return typeOf(this.#ranges[i] as Interval | null);
  }
}

/** Where the element of a row is. */
function at(place: string): string {
  return `r * columns + ${place}`;
}

function parametersOf({ values }: Kernel): readonly Parameter[] {
  const params = values.filter((value): value is Param => value.op === "param");
  return params.map(({ name, lane, over }) => ({ name: parameterName(name), lane, over }));
}

/** What the text itself calls things, in any language. */
const OWN_NAMES: readonly string[] = [
  ...["c", "columns", "count", "first", "i", "j", "length", "n", "part", "r", "rooms", "rows", "run", "y"],
];

/** The name of a param in the text. */
export function parameterName(name: string): string {
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
