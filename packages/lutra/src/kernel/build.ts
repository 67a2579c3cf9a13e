// A builder for kernels: appends values with lane and variation worked out. Used by layer/; the result is plain data.

import { codeRange, type Format, printFormat } from "../num/index.ts";
import type { Rounding, Spec } from "../table/index.ts";
import { laneOf, laneRange } from "./lanes.ts";
import type { Kernel, Lane, Op, Over, Value } from "./types.ts";

/** Variation of a result: the join of its operands' (row and column meet in element). */
export function join(a: Over, b: Over): Over {
  if (a === b || b === "one") return a;
  return a === "one" ? b : "element";
}

export class KernelBuilder {
  readonly #values: Value[] = [];

  param(name: string, over: Over, lane: Lane = "f32", range?: readonly [number, number]): number {
    return this.#push({ op: "param", name, ...(range === undefined ? {} : { range }) }, lane, over);
  }

  /** The param that holds codes of a format, promised to be its codes where the lane is wider. */
  codes(name: string, over: Over, format: Format): number {
    if (format.kind === "float") return this.param(name, over, "f32");
    const { lo, hi } = codeRange(format);
    const lane = laneOf(format);
    const whole = laneRange(lane);
    const isNarrower = whole !== null && (lo > whole.lo || hi < whole.hi);
    return this.param(name, over, lane, isNarrower ? [lo, hi] : undefined);
  }

  /** A binary32 constant. */
  constant(value: number): number {
    return this.#push({ op: "const", value: Math.fround(value) }, "f32", "one");
  }

  integer(value: number, lane: Lane = "i32"): number {
    return this.#push({ op: "const", value }, lane, "one");
  }

  binary(op: "add" | "sub" | "mul" | "div" | "min" | "max", a: number, b: number): number {
    return this.#push({ op, args: [a, b] }, this.#at(a).lane, this.#over(a, b));
  }

  /** Quotient of integers, rounded. */
  divide(a: number, b: number, rounding: Rounding): number {
    return this.#push({ op: "div", rounding, args: [a, b] }, this.#at(a).lane, this.#over(a, b));
  }

  shiftLeft(a: number, by: number): number {
    return this.#push({ op: "shift-left", args: [a, by] }, this.#at(a).lane, this.#over(a, by));
  }

  /** a / 2^by; `rounding` for integers only. */
  shiftRight(a: number, by: number, rounding?: Rounding): number {
    const stated = rounding === undefined ? {} : { rounding };
    return this.#push({ op: "shift-right", ...stated, args: [a, by] }, this.#at(a).lane, this.#over(a, by));
  }

  bits(a: number): number {
    return this.#push({ op: "bits", args: [a] }, "i32", this.#at(a).over);
  }

  /** To a lane, saturated; the value itself where it is in that lane already. `rounding` from binary32 to integers only. */
  cast(a: number, lane: Lane, rounding?: Rounding): number {
    if (this.#at(a).lane === lane) return a;
    const stated = rounding === undefined ? {} : { rounding };
    return this.#push({ op: "cast", ...stated, args: [a] }, lane, this.#at(a).over);
  }

  /** a < b ? c : d */
  select(a: number, b: number, c: number, d: number): number {
    return this.#push({ op: "select", args: [a, b, c, d] }, this.#at(c).lane, this.#over(a, b, c, d));
  }

  /** `rounding` for means of integers only. */
  reduce(how: "add" | "max" | "mean", a: number, rounding?: Rounding): number {
    const stated = rounding === undefined ? {} : { rounding };
    return this.#push({ op: "reduce", with: how, ...stated, args: [a] }, this.#at(a).lane, "row");
  }

  lookup(hole: string, spec: Spec, a: number): number {
    const lane = laneOf(spec.input);
    if (lane !== this.#at(a).lane) {
      throw new RangeError(`hole ${hole} takes ${printFormat(spec.input)}, its argument is ${this.#at(a).lane}`);
    }
    return this.#push({ op: "lookup", hole, spec, args: [a] }, laneOf(spec.output), this.#at(a).over);
  }

  /** A value of another kernel, its arguments being these of this one. */
  copy(value: Value, args: readonly number[]): number {
    const over = value.op === "param" || value.op === "reduce" ? value.over : this.#over(...args);
    const moved = "args" in value ? ({ ...value, args } as unknown as Value) : value;
    return this.#push(moved, value.lane, over);
  }

  laneAt(i: number): Lane {
    return this.#at(i).lane;
  }

  finish(spec: Spec, ...results: readonly number[]): Kernel {
    return { spec, values: [...this.#values], results };
  }

  #push(op: Op, lane: Lane, over: Over): number {
    this.#values.push({ ...op, lane, over });
    return this.#values.length - 1;
  }

  #over(...args: readonly number[]): Over {
    return args.map((arg) => this.#at(arg).over).reduce<Over>(join, "one");
  }

  #at(i: number): Value {
    const value = this.#values[i];
    if (value === undefined) throw new RangeError(`value ${i} does not exist yet`);
    return value;
  }
}
