// The function around the passes: parameters, the addresses of arrays in this row, scratch memory, and the values that are one number for a
// row or for all. Passes are written by vector-pass.ts and scalar-pass.ts.

import type { Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, get, i32, type Local, op, set } from "../assembler.ts";
import { FunctionBuilder } from "../assembler-module.ts";
import { Block } from "../lanes.ts";
import type { Form } from "../module.ts";
import { addressOf } from "./addresses.ts";
import { LocalPool } from "./local-pool.ts";
import { type Lookups, scalarLookup } from "./lookup.ts";
import { loadNumber } from "./numbers.ts";
import type { Plan } from "./plan.ts";
import { constant, scalarCode, typeOf } from "./scalar.ts";
import type { Copies } from "./vector-scope.ts";
import { firstLanes } from "./vector-shapes.ts";
import { laneWidth } from "./vector-widths.ts";
import { STEP, type Width } from "./widths.ts";

export interface FrameOptions {
  /** Whether run takes scratch, rows and columns, or a count. */
  readonly isOverRows: boolean;
  /** The param whose rows lie apart by a number of their own, and all else that varies per element by another; absent, by columns. */
  readonly strided?: string | undefined;
  /** Short code rather than the last few percent of speed. */
  readonly isCompact: boolean;
}

export class Frame {
  readonly plan: Plan;
  readonly lookups: Lookups;
  readonly form: Form;
  readonly isCompact: boolean;
  readonly builder: FunctionBuilder;
  /** Constants, set before everything else. */
  readonly root: Block;
  /** Copies of what varies over nothing, made before all rows. */
  readonly copies: Copies;
  /** The length of a row, or how many elements there are. */
  readonly columns: Local;
  /** How many columns come in whole steps, and how many more there are. */
  readonly whole: Local;
  readonly left: Local;
  readonly rowLengths: readonly Local[];
  readonly #arrays: readonly Local[];
  readonly #paramAt: ReadonlyMap<number, number>;
  readonly #scratch: Local | null;
  readonly #strided: string | undefined;
  readonly #prologue: Code[] = [];
  readonly #transient: LocalPool;
  readonly #spills = new Map<string, Local>();
  readonly #masks = new Map<string, Local>();
  #scratchBytes = 0;
  readonly #scalars = new Map<number, Code>();

  constructor(plan: Plan, lookups: Lookups, form: Form, { isOverRows, strided, isCompact }: FrameOptions) {
    this.plan = plan;
    this.lookups = lookups;
    this.form = form;
    this.isCompact = isCompact;
    const { values, results } = plan.kernel;
    const params = values.flatMap((value, i) => (value.op === "param" ? [i] : []));
    const arrays = params.length + results.length;
    const numbers = isOverRows ? (strided === undefined ? 3 : 5) : 1;
    this.builder = new FunctionBuilder(Array(arrays + numbers).fill("i32"), null);
    const { parameters } = this.builder;
    this.#arrays = parameters.slice(0, arrays);
    this.#paramAt = new Map(params.map((i, at) => [i, at]));
    this.#scratch = isOverRows ? (parameters[arrays] as Local) : null;
    this.columns = parameters.at(-1) as Local;
    this.#strided = strided;
    this.rowLengths = strided === undefined ? [this.columns] : parameters.slice(-4, -2);
    this.root = new Block(this.builder);
    this.copies = { known: new Map(), setup: new Block(this.builder, this.root) };
    this.#transient = new LocalPool(this.builder);
    this.whole = this.builder.local("i32");
    this.left = this.builder.local("i32");
    this.#prologue.push(
      set(this.whole, op("i32.and", get(this.columns), i32(-STEP))),
      set(this.left, op("i32.and", get(this.columns), i32(STEP - 1))),
    );
  }

  /** How many rows there are: a parameter that may be counted down. */
  get rows(): Local {
    return this.builder.parameters.at(-2) as Local;
  }

  /** By how many elements the rows of a param per element lie apart: one of rowLengths. */
  paramRowLength(value: Value): Local {
    const isFirst = value.op === "param" && value.name === this.#strided;
    return isFirst ? (this.rowLengths[0] as Local) : this.resultRowLength;
  }

  /** By how many elements the rows of results per element lie apart. */
  get resultRowLength(): Local {
    return this.rowLengths.at(-1) as Local;
  }

  get scratchBytesPerColumn(): number {
    return this.#scratchBytes;
  }

  /** Address of a param's array, or of the part that is this row's. */
  param(i: number): Local {
    return this.#arrays[this.#paramAt.get(i) as number] as Local;
  }

  widthOfParam(i: number): Width {
    return laneWidth(this.plan.kernel.values[i] as Value);
  }

  result(at: number): Local {
    return this.#arrays[this.#paramAt.size + at] as Local;
  }

  /** A part of scratch with so many bytes for each column. */
  region(bytesPerColumn: number): Local {
    if (this.#scratch === null) throw new TypeError("kernels of elements have no scratch memory");
    const address = this.builder.local("i32");
    const rounded = op("i32.and", op("i32.add", get(this.columns), i32(STEP - 1)), i32(-STEP));
    const offset = op("i32.mul", rounded, i32(this.#scratchBytes));
    this.#prologue.push(set(address, op("i32.add", get(this.#scratch), offset)));
    this.#scratchBytes += bytesPerColumn;
    return address;
  }

  get hasScratch(): boolean {
    return this.#scratch !== null;
  }

  /** Room for one step of what has a name; the same in all passes. */
  spill(name: string, width: Width): Local {
    const room = this.#spills.get(name) ?? this.region(width / 8);
    this.#spills.set(name, room);
    return room;
  }

  /** All ones in the lanes of the columns left behind the whole steps, of one of the vectors of a step. */
  lanesLeft(width: Width, part: number): Code {
    const name = `${width} ${part}`;
    const mask = this.#masks.get(name) ?? this.builder.local("v128");
    if (!this.#masks.has(name)) this.#prologue.push(set(mask, firstLanes(width, part, get(this.left))));
    this.#masks.set(name, mask);
    return get(mask);
  }

  block(): Block {
    return new Block(this.builder, this.root);
  }

  /** A block whose values are not needed when the next such block begins. */
  transientBlock(): Block {
    this.#transient.restart();
    return new Block(this.#transient, this.root);
  }

  /** A value that is one number here, kept. */
  scalar(i: number): Code {
    const { ranges, constants } = this.plan;
    const known = constants[i];
    if (known !== undefined) return constant(typeOf(ranges[i] as Interval | null), known);
    const code = this.#scalars.get(i);
    if (code === undefined) throw new TypeError(`value ${i} is not known yet`);
    return code;
  }

  setScalar(i: number, code: Code): void {
    this.#scalars.set(i, code);
  }

  /** Computes the values over one or over rows that wait for so many passes and are no reductions. */
  computeScalars(block: Block, over: "one" | "row", stage: number): void {
    const { kernel, ranges, constants, needed, stages } = this.plan;
    for (const [i, value] of kernel.values.entries()) {
      const isDue = needed.has(i) && value.over === over && stages[i] === stage && constants[i] === undefined;
      if (isDue && value.op !== "reduce") this.setScalar(i, block.keep(this.#scalarCode(block, i, value, ranges)));
    }
  }

  #scalarCode(block: Block, i: number, value: Value, ranges: Plan["ranges"]): Code {
    const range = ranges[i] as Interval | null;
    const at = (arg: number): Code => this.scalar(arg);
    if (value.op === "param") return loadNumber(laneWidth(value), range, get(this.param(i)));
    if (value.op === "lookup") return scalarLookup(block, placedAt(this.lookups, i), at(value.args[0]), range);
    return scalarCode({ plan: this.plan, block, at }, i);
  }

  /** Adds the bytes of n columns, or rows, to the address of an array. */
  advanced(array: Local, width: Width, n: Code): Code {
    return set(array, addressOf(get(array), n, width));
  }

  /** The whole function. */
  finish(...body: readonly Code[]): ReturnType<FunctionBuilder["finish"]> {
    return this.builder.finish(...this.#prologue, ...this.root.prologue, ...body);
  }
}

export function placedAt(lookups: Lookups, i: number): Parameters<typeof scalarLookup>[1] {
  const placed = lookups.get(i);
  if (placed === undefined) throw new TypeError(`no table for value ${i}`);
  return placed;
}
