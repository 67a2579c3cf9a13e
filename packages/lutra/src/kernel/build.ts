// A builder for kernels: appends values with lane and variation worked out. Used by layer/; the result is plain data.

import { type Format, printFormat } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import type { Kernel, Lane, Op, Over, Value } from "./types.ts";

/** The lane that holds a format's codes. @throws RangeError for integers of other widths than 8, 16, 32 */
export function laneOf(format: Format): Lane {
  if (format.kind === "float") return "f32";
  const width = format.bits <= 8 ? 8 : format.bits <= 16 ? 16 : 32;
  return `${format.signed ? "i" : "u"}${width}`;
}

/** Variation of a result: the join of its operands' (row and column meet in element). */
export function join(a: Over, b: Over): Over {
  if (a === b || b === "one") return a;
  return a === "one" ? b : "element";
}

export class KernelBuilder {
  readonly #values: Value[] = [];

  param(name: string, over: Over, lane: Lane = "f32"): number {
    return this.#push({ op: "param", name }, lane, over);
  }

  constant(value: number): number {
    return this.#push({ op: "const", value: Math.fround(value) }, "f32", "one");
  }

  binary(op: "add" | "sub" | "mul" | "div" | "min" | "max", a: number, b: number): number {
    return this.#push({ op, args: [a, b] }, this.#at(a).lane, join(this.#at(a).over, this.#at(b).over));
  }

  reduce(how: "add" | "max" | "mean", a: number): number {
    return this.#push({ op: "reduce", with: how, args: [a] }, this.#at(a).lane, "row");
  }

  lookup(hole: string, spec: Spec, a: number): number {
    const lane = laneOf(spec.input);
    if (lane !== this.#at(a).lane) {
      throw new RangeError(`hole ${hole} takes ${printFormat(spec.input)}, its argument is ${this.#at(a).lane}`);
    }
    return this.#push({ op: "lookup", hole, spec, args: [a] }, laneOf(spec.output), this.#at(a).over);
  }

  finish(spec: Spec, ...results: readonly number[]): Kernel {
    return { spec, values: [...this.#values], results };
  }

  #push(op: Op, lane: Lane, over: Over): number {
    this.#values.push({ ...op, lane, over });
    return this.#values.length - 1;
  }

  #at(i: number): Value {
    const value = this.#values[i];
    if (value === undefined) throw new RangeError(`value ${i} does not exist yet`);
    return value;
  }
}
