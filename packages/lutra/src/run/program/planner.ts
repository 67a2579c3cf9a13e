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
  tensorsRead,
  tensorsWritten,
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
  /** Of the binary32 numbers of an input, before all steps, and of an output, behind them; null where there is no room for them. */
  readonly inputNumbers: number | null;
  readonly outputNumbers: number | null;
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
  readonly #inputNumbers = new Map<string, Slot>();
  readonly #outputNumbers = new Map<string, Slot>();
  /** How often steps have written a state so far. */
  readonly #versions = new Map<string, number>();
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
      for (const name of [...tensorsRead(step), ...tensorsWritten(step)]) touch(name, at);
    });
    for (const name of Object.values(program.outputs)) touch(name, steps.length);
    const { inputs, outputs } = this.machine.fixed.factors;
    for (const name of inputs.keys()) this.#inputNumbers.set(name, this.#numbersAt(name, -1));
    for (const name of outputs.keys()) this.#outputNumbers.set(name, this.#numbersAt(name, steps.length));
  }

  /** Memory for the numbers that an input or an output stands for. */
  #numbersAt(name: string, at: number): Slot {
    return this.#slots.add(FLOAT_BYTES * sizeOf(this.tensor(name).shape), at, at);
  }

  /** Plans a step: slots that it asks for are for it alone, unless it says otherwise. */
  at<T>(at: number, step: Step, plan: () => T): T {
    this.#step = at;
    const planned = plan();
    for (const name of tensorsWritten(step)) {
      const root = this.rootOf(name);
      this.#versions.set(root, (this.#versions.get(root) ?? 0) + 1);
    }
    return planned;
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

  /**
   * Memory for what is made of a tensor, shared by the steps from the first that asks for it to the last, or to where the tensor is written again.
   * @returns also whether this is the first
   */
  shared(tensor: string, what: string, bytes: number): { readonly slot: Slot; readonly isFirst: boolean } {
    const root = this.rootOf(tensor);
    const key = `${this.#versions.get(root) ?? 0} ${what} ${root}`;
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
    const { program, fixed } = this.machine;
    const names = Object.keys(program.tensors).filter((name) => {
      const root = this.rootOf(name);
      return this.#tensorSlots.has(root) || fixed.tensors.has(root);
    });
    return new Map(
      names.map((name) => {
        const inputNumbers = this.#inputNumbers.get(name)?.address ?? null;
        const outputNumbers = this.#outputNumbers.get(name)?.address ?? null;
        return [name, { ...this.tensor(name), address: this.address(name), inputNumbers, outputNumbers }];
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
