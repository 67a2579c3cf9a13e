// What the planning of each step of a run asks: shapes for the lengths of the run, slots in memory, and addresses once all slots are placed.

import { sizeOf } from "../../base/index.ts";
import { laneBits } from "../../kernel/index.ts";
import {
  type Extents,
  type Program,
  type Size,
  type Step,
  shapeIn,
  sizeIn,
  type TensorType,
} from "../../program/index.ts";
import type { ProgramModule } from "../../target/wasm/index.ts";
import type { Fixed } from "./constants.ts";
import type { Functions, ProgramMemory } from "./program-memory.ts";
import { type Slot, Slots } from "./slots.ts";

export type Call = () => unknown;

const FLOAT_BYTES = 4;

/** Where a tensor is. */
export interface Place {
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly address: number;
  /** Of the binary32 numbers of an input before all steps, of an output behind them; null where there is no room for them. */
  readonly numbers: number | null;
}

/** Calls of a step, once the slots it asked for have addresses. */
export type Planned = () => readonly Call[];

export interface Machine {
  readonly program: Program;
  readonly module: ProgramModule;
  readonly functions: Functions;
  readonly memory: ProgramMemory;
  readonly fixed: Fixed;
}

/** What the planning of each step asks: shapes, slots, addresses. */
export class Planner {
  readonly machine: Machine;
  readonly extents: Extents;
  readonly #slots = new Slots();
  /** The slot of each tensor that is no constant or state and no other tensor's under another shape. */
  readonly #tensorSlots = new Map<string, Slot>();
  readonly #shared = new Map<string, Slot>();
  readonly #numbers = new Map<string, Slot>();
  readonly #shapes = new Map<string, readonly number[]>();
  readonly #same: ReadonlyMap<string, string>;
  #step = 0;

  constructor(machine: Machine, extents: Extents) {
    this.machine = machine;
    this.extents = extents;
    this.#same = sameTensors(machine.program);
    this.#addTensors();
  }

  #addTensors(): void {
    const { program } = this.machine;
    const steps = program.blocks.flatMap(({ steps: each }) => each);
    const touch = (name: string, at: number): void => {
      const root = this.rootOf(name);
      if (this.machine.fixed.tensors.has(root) || program.constants[root] !== undefined) return;
      const { shape, type } = this.tensor(root);
      const bytes = (sizeOf(shape) * laneBits(type.lane)) / 8;
      const slot = this.#tensorSlots.get(root) ?? this.#slots.add(bytes, at, at);
      this.#tensorSlots.set(root, slot);
      slot.until = Math.max(slot.until, at);
    };
    for (const name of program.inputs) touch(name, -1);
    steps.forEach((step, at) => {
      for (const name of namesOf(step)) touch(name, at);
    });
    for (const name of Object.values(program.outputs)) touch(name, steps.length);
    for (const name of program.inputs) this.#addNumbers(name, -1);
    for (const name of Object.values(program.outputs)) this.#addNumbers(name, steps.length);
  }

  /** Memory for the numbers that an input or an output stands for. */
  #addNumbers(name: string, at: number): void {
    if (!this.machine.fixed.factors.has(name)) return;
    this.#numbers.set(name, this.#slots.add(FLOAT_BYTES * sizeOf(this.tensor(name).shape), at, at));
  }

  /** Plans a step: slots that it asks for are for it alone, unless it says otherwise. */
  at<T>(step: number, plan: () => T): T {
    this.#step = step;
    return plan();
  }

  tensor(name: string): { readonly type: TensorType; readonly shape: readonly number[] } {
    const type = this.machine.program.tensors[name] as TensorType;
    const shape = this.#shapes.get(name) ?? shapeIn(type.shape, this.extents);
    this.#shapes.set(name, shape);
    return { type, shape };
  }

  size(size: Size): number {
    return sizeIn(size, this.extents);
  }

  /** The tensor whose memory a reshaped one is. */
  rootOf(name: string): string {
    let root = name;
    for (let next = this.#same.get(root); next !== undefined; next = this.#same.get(root)) root = next;
    return root;
  }

  /** Memory for this step. */
  slot(bytes: number): Slot {
    return this.#slots.add(bytes, this.#step, this.#step);
  }

  /** Memory that steps share, from the first that asks for it to the last. @returns also whether this is the first */
  shared(key: string, bytes: number): { readonly slot: Slot; readonly isFirst: boolean } {
    const known = this.#shared.get(key);
    const slot = known ?? this.slot(bytes);
    slot.until = this.#step;
    this.#shared.set(key, slot);
    return { slot, isFirst: known === undefined };
  }

  place(): number {
    return this.#slots.place(this.machine.fixed.end);
  }

  /** Known when all slots are placed. */
  address(name: string): number {
    const root = this.rootOf(name);
    const address = this.machine.fixed.tensors.get(root) ?? this.#tensorSlots.get(root)?.address;
    if (address === undefined) throw new RangeError(`tensor ${name} has no place`);
    return address;
  }

  places(): ReadonlyMap<string, Place> {
    const names = Object.keys(this.machine.program.tensors).filter((name) => this.#tensorSlots.has(this.rootOf(name)));
    const all = [...names, ...this.machine.program.states, ...Object.values(this.machine.program.outputs)];
    return new Map(
      all.map((name) => {
        const numbers = this.#numbers.get(name)?.address ?? null;
        return [name, { ...this.tensor(name), address: this.address(name), numbers }];
      }),
    );
  }

  call(name: string, ...numbers: readonly number[]): Call {
    const run = this.machine.functions[name];
    if (run === undefined) throw new TypeError(`the module has no function ${name}`);
    return run.bind(undefined, ...numbers);
  }
}

/** Reshaped tensors, each with the one it is. */
function sameTensors({ blocks }: Program): ReadonlyMap<string, string> {
  const steps = blocks.flatMap((block) => block.steps);
  return new Map(steps.flatMap((step) => (step.op === "reshape" ? [[step.result, step.input] as const] : [])));
}

/** Every tensor that a step reads or writes. */
function namesOf(step: Step): readonly string[] {
  switch (step.op) {
    case "product":
      return [step.a, step.b, ...Object.values(step.arguments), ...step.results];
    case "kernel":
      return [...Object.values(step.arguments), ...step.results];
    case "gather":
      return [step.table, step.ids, step.result];
    case "move":
      return [...step.parts.map(({ from }) => from), step.result];
    case "reshape":
    case "argmax":
      return [step.input, step.result];
    case "count":
      return [step.result];
    case "exit":
      return [step.when, ...Object.values(step.outputs)];
    default:
      return step satisfies never;
  }
}
