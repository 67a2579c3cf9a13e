// Sixteen elements at a time: a value of a kernel as vectors of the width its range needs, computed when first asked for and once. What is
// asked for vector by vector is also computed so, which keeps few of them alive.

import type { Kernel, Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, extractLane, f32x4, load, op, replaceLane, store } from "../assembler.ts";
import { type Block, type InMemory, vectorLanes } from "../lanes.ts";
import { readsBits } from "../segments.ts";
import { emitTable } from "../table.ts";
import { type Placed, scalarLookup } from "./lookup.ts";
import { converted, scalarCode, typeOf } from "./scalar.ts";
import {
  type Answers,
  gathered,
  type Index,
  inBlocks,
  inRegister,
  isInRegister,
  isPlace,
  placesOf,
} from "./vector-lookup.ts";
import { vectorCode } from "./vector-rules.ts";
import { copied, type PassScope, type Vectors } from "./vector-scope.ts";
import { equal, extended, halves, narrowed, splat } from "./vector-shapes.ts";
import { isLoaded, widthIn } from "./vector-widths.ts";
import { fits, partsOf, SHAPES, VECTOR_BYTES, type Width } from "./widths.ts";

/** Where an element param or a value in scratch is in memory. */
export type Locate = (i: number) => InMemory;

/** Room for the vectors of one step, by what they are. */
export type Spill = (name: string, width: Width) => InMemory;

export class Step implements Vectors {
  readonly scope: PassScope;
  readonly block: Block;
  readonly #locate: Locate;
  readonly #spill: Spill | undefined;
  readonly #spilled = new Set<string>();
  readonly #known = new Map<string, Code>();

  constructor(scope: PassScope, block: Block, locate: Locate, spill?: Spill) {
    this.scope = scope;
    this.block = block;
    this.#locate = locate;
    this.#spill = spill;
  }

  get kernel(): Kernel {
    return this.scope.plan.kernel;
  }

  range(i: number): Interval | null {
    return this.scope.plan.ranges[i] as Interval | null;
  }

  constant(i: number): number | undefined {
    return this.scope.plan.constants[i];
  }

  isUniform(i: number): boolean {
    const { over } = this.kernel.values[i] as Value;
    return over === "one" || over === "row";
  }

  native(i: number): Width {
    return widthIn(this.scope.plan, i, this.scope.stage);
  }

  part(i: number, width: Width, q: number): Code {
    if (this.isUniform(i)) return this.#copies(i, width);
    return this.remember(`${i} ${width} ${q}`, () => this.#made(i, width, q));
  }

  remember(name: string, make: () => Code): Code {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = this.block.keep(make());
    this.#known.set(name, made);
    return made;
  }

  #made(i: number, width: Width, q: number): Code {
    const native = this.native(i);
    const range = this.range(i);
    if (native === width) return this.#computed(i, q);
    if (range === null) throw new TypeError("binary32 has one width");
    return this.resized(native < width ? "up" : "down", width, q, range, (w, at) => this.part(i, w, at));
  }

  resized(way: "up" | "down", width: Width, q: number, range: Interval, part: (width: Width, q: number) => Code): Code {
    if (way === "up") return extended(part((width / 2) as Width, q >> 1), width, q & 1, range.lo < 0);
    const twice = (2 * width) as Width;
    const [a, b] = [part(twice, 2 * q), part(twice, 2 * q + 1)];
    return fits(range, width) ? narrowed(a, b, width, range) : halves(a, b, width);
  }

  #copies(i: number, width: Width): Code {
    const constant = this.constant(i);
    const isFloat = this.range(i) === null;
    if (constant !== undefined) return this.block.constant(isFloat ? f32x4(constant) : equal(width, constant));
    const one = this.scope.scalar(i);
    const copies = this.scope.copiesOf(i);
    return copied(copies, `${i} ${width}`, () => (isFloat ? op("f32x4.splat", one) : splat(width, one)));
  }

  #computed(i: number, q: number): Code {
    const value = this.kernel.values[i] as Value;
    if (value.op === "param" || this.#isRead(i)) {
      const { address, offset } = this.#locate(i);
      return load("v128.load", address, offset + q * VECTOR_BYTES);
    }
    if (value.op === "lookup") return this.#lookup(i, value.args[0], q);
    if (value.op === "const" || value.op === "reduce") throw new TypeError(`${value.op} does not vary along a row`);
    return (
      vectorCode(this, value, i, q) ??
      this.#laneByLane(i, value.args, q, (at, block) => scalarCode({ plan: this.scope.plan, block, at }, i))
    );
  }

  #lookup(i: number, arg: number, q: number): Code {
    const placed = this.scope.lookups.get(i);
    if (placed === undefined) throw new TypeError(`no table for value ${i}`);
    if (placed.by === "float") {
      return emitTable(vectorLanes(this.block), placed.placed, this.part(arg, 32, q), this.#inMemory(placed, arg, q));
    }
    if (placed.by === "answers") {
      if (placed.blocks !== null) return inBlocks(this, placed.blocks, arg);
      if (isInRegister(placed)) return inRegister(this, placed, arg, this.native(i), q);
      const index = this.#index(placed, arg);
      if (index !== undefined) return gathered(this, placed, index, q);
    }
    return this.#laneByLane(i, [arg], q, (at, block) => scalarLookup(block, placed, at(arg), this.range(i)));
  }

  /** Where a vector is in memory too: the bits of its lanes are read faster from there. */
  #inMemory({ placed }: Placed & { readonly by: "float" }, i: number, q: number): InMemory | undefined {
    if (!readsBits(placed.segments)) return undefined;
    const place = this.#isRead(i) ? this.#locate(i) : this.#spill?.(`${i}`, 32);
    if (place === undefined) return undefined;
    const at = { address: place.address, offset: place.offset + q * VECTOR_BYTES };
    if (!this.#isRead(i)) this.block.statements.push(store("v128.store", at.address, this.part(i, 32, q), at.offset));
    return at;
  }

  /** The places of a step's answers in their table, in memory; undefined where there is no room for them. */
  #index(placed: Answers, arg: number): Index | undefined {
    const { lo } = placed.range;
    const width = placed.answers.length <= 256 ? 8 : 16;
    if (isPlace(placed) && this.#isRead(arg) && this.native(arg) === width) return { width, ...this.#locate(arg) };
    const name = `places ${arg} ${lo}`;
    const at = this.#spill?.(name, width);
    if (at === undefined || this.#spilled.has(name)) return at && { width, ...at };
    this.#spilled.add(name);
    for (let q = 0; q < partsOf(width); q++) {
      const places = placesOf(this, arg, placed, width, q);
      this.block.statements.push(store("v128.store", at.address, places, at.offset + q * VECTOR_BYTES));
    }
    return { width, ...at };
  }

  /** Whether a value is in memory when the pass begins. */
  #isRead(i: number): boolean {
    const { plan, stage } = this.scope;
    return this.kernel.values[i]?.op === "param" || isLoaded(plan, i, stage);
  }

  /** One vector, each lane computed by itself from those of the arguments. */
  #laneByLane(
    i: number,
    args: readonly number[],
    q: number,
    code: (at: (arg: number) => Code, block: Block) => Code,
  ): Code {
    const width = this.native(i);
    const isFloat = this.range(i) === null;
    const count = 128 / width;
    let v: Code | undefined;
    for (let lane = 0; lane < count; lane++) {
      const element = q * count + lane;
      const scalars = new Map(args.map((arg) => [arg, this.#lane(arg, element)]));
      const y = code((arg) => scalars.get(arg) as Code, this.block);
      const number = isFloat ? y : converted(y, width === 64 ? "i64" : "i32");
      const shape = isFloat ? "f32x4" : SHAPES[width];
      const next =
        v === undefined ? op(`${shape}.splat`, number) : replaceLane(`${shape}.replace_lane`, lane, v, number);
      v = this.block.keep(next);
    }
    return v as Code;
  }

  /** One element of a value, kept, in the type of its range. */
  #lane(i: number, element: number): Code {
    if (this.isUniform(i)) return this.scope.scalar(i);
    const range = this.range(i);
    const width = this.native(i);
    const count = 128 / width;
    const part = this.part(i, width, Math.floor(element / count));
    const lane = element % count;
    return this.remember(`lane ${i} ${element}`, () => {
      if (range === null) return extractLane("f32x4.extract_lane", lane, part);
      if (width === 64) return converted(extractLane("i64x2.extract_lane", lane, part), typeOf(range));
      const isSigned = range.lo < 0 ? "s" : "u";
      if (width !== 32) return extractLane(`${SHAPES[width]}.extract_lane_${isSigned}`, lane, part);
      const word = extractLane("i32x4.extract_lane", lane, part);
      return typeOf(range) === "i64" ? op("i64.extend_i32_u", word) : word;
    });
  }
}
