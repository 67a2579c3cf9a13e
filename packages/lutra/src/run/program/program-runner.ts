// A program loaded: its module compiled, its constants in memory, and a schedule for each set of lengths it has been run with.

import { LutraError, sizeOf, type Tensor, type Tensors } from "../../base/index.ts";
import { type Codes, type Extents, extentsOf, inputCodes, type Program } from "../../program/index.ts";
import { emitProgram, type Family, knownModule, type MadeModule, type ProgramModule } from "../../target/wasm/index.ts";
import { placeConstants } from "./constants.ts";
import type { Machine, Place } from "./planner.ts";
import { Ports } from "./ports.ts";
import { type Functions, ProgramMemory } from "./program-memory.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** Schedules that are kept, of the lengths that were run last: so many, and of so many calls together, each some 300 bytes. */
const MOST_SCHEDULES = 16;
const MOST_CALLS = 30_000;

export interface RunOptions {
  /** Called with every tensor that a step has written, as `interpret` does. */
  readonly observe?: (name: string, tensor: Tensor) => void;
}

/** Runs a program, by the same rules as interpret and with the same bits. */
export class ProgramRunner {
  readonly #machine: Machine;
  readonly #ports: Ports;
  readonly #schedules = new Map<string, Schedule>();

  /**
   * @param made a module of the program and the family, if there is one; one that is not is not used
   * @throws LutraError "unsupported" for what the wasm target does not write, or where the engine lacks the form
   */
  constructor(program: Program, family: Family, made: MadeModule | null = null) {
    const { module, functions, memory } = (made && withMade(program, family, made)) ?? emitted(program, family);
    const fixed = placeConstants(program, module, memory, functions);
    // What panels and addresses stand for is in memory now; the constants themselves may be forgotten.
    this.#machine = { program: { ...program, constants: named(program.constants) }, module, functions, memory, fixed };
    this.#ports = new Ports(memory, fixed.factors);
  }

  /** Bytes of its WebAssembly memory. */
  get memoryBytes(): number {
    return this.#machine.memory.bytes;
  }

  /**
   * Codes in, codes out, as interpret(program, inputs).
   * @throws LutraError "bad-data" as interpret
   */
  runCodes(inputs: Tensors, { observe }: RunOptions = {}): Tensors {
    const { program } = this.#machine;
    const run = this.#scheduled(extentsOf(program, inputs));
    for (const [name, place] of inputsOf(program, run)) inputCodes(name, place.type, inputs, this.#codesAt(place));
    const { outputs } = this.#perform(run, observe);
    return mapped(outputs, (tensor) => this.#copied(run.places.get(tensor) as Place));
  }

  /**
   * Numbers in, numbers out, by the tensors' quantizations; integers where there is none.
   * @throws LutraError "bad-data" as interpret, and for NaN
   */
  runNumbers(inputs: Tensors): Tensors {
    const { program } = this.#machine;
    const run = this.#scheduled(extentsOf(program, inputs));
    for (const [name, place] of inputsOf(program, run)) {
      const { data, shape } = inputs[name] as Tensor;
      if (data.length !== sizeOf(shape))
        throw new LutraError("bad-data", `the input ${name} has ${data.length} numbers for [${shape}]`);
      this.#ports.encode(name, data, place, this.#codesAt(place));
    }
    const { outputs, isWhole } = this.#perform(run);
    return mapped(outputs, (tensor) => {
      const place = run.places.get(tensor) as Place;
      return { shape: place.shape, data: this.#ports.decode(tensor, place, isWhole) };
    });
  }

  /** @returns the tensors that hold the outputs, and whether no exit was taken */
  #perform(
    { steps, places }: Schedule,
    observe?: RunOptions["observe"],
  ): { readonly outputs: Program["outputs"]; readonly isWhole: boolean } {
    for (const { calls, results, exit } of steps) {
      for (let i = 0; i < calls.length; i++) calls[i]?.();
      if (observe !== undefined) for (const name of results) observe(name, this.#copied(places.get(name) as Place));
      if (exit === undefined) continue;
      if (this.#codesAt(places.get(exit.when) as Place).every((code) => code !== 0)) {
        return { outputs: exit.outputs, isWhole: false };
      }
    }
    return { outputs: this.#machine.program.outputs, isWhole: true };
  }

  #scheduled(extents: Extents): Schedule {
    const key = Object.values(extents).join();
    const made = this.#schedules.get(key) ?? schedule(this.#machine, extents);
    this.#machine.memory.grow(made.end);
    // The one that is run now is the youngest.
    this.#schedules.delete(key);
    this.#schedules.set(key, made);
    let calls = [...this.#schedules.values()].reduce((sum, { callCount }) => sum + callCount, 0);
    for (const [oldest, { callCount }] of this.#schedules) {
      if (oldest === key || (this.#schedules.size <= MOST_SCHEDULES && calls <= MOST_CALLS)) break;
      this.#schedules.delete(oldest);
      calls -= callCount;
    }
    return made;
  }

  #codesAt({ type, shape, address }: Place): Codes {
    return this.#machine.memory.codes(type.lane, address, sizeOf(shape));
  }

  #copied(place: Place): Tensor {
    return { shape: place.shape, data: this.#codesAt(place).slice() };
  }
}

function inputsOf({ inputs }: Program, { places }: Schedule): readonly (readonly [string, Place])[] {
  return inputs.flatMap((name) => {
    const place = places.get(name);
    return place === undefined ? [] : [[name, place] as const];
  });
}

function mapped(outputs: Program["outputs"], of: (tensor: string) => Tensor): Tensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, of(tensor)]));
}

type Instance = Pick<Machine, "module" | "functions" | "memory">;

function emitted(program: Program, family: Family): Instance {
  const module = emitProgram(program, family);
  if (!WebAssembly.validate(module.bytes)) {
    throw new LutraError("unsupported", `this engine does not run the ${family} form of WebAssembly`);
  }
  return instantiated(module);
}

/** Null where the module is not the program's. */
function withMade(program: Program, family: Family, made: MadeModule): Instance | null {
  try {
    const instance = instantiated(knownModule(program, family, made));
    const { module, functions, memory } = instance;
    const isWhole = module.names.every((name) => typeof functions[name] === "function");
    const { heap } = functions as unknown as { readonly heap?: WebAssembly.Global };
    const isHeap = heap instanceof WebAssembly.Global && heap.value === module.heapBytes;
    return isWhole && isHeap && memory.bytes >= module.heapBytes ? instance : null;
  } catch {
    return null;
  }
}

function instantiated(module: ProgramModule): Instance {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const { memory, ...functions } = exports as unknown as Functions & { readonly memory: WebAssembly.Memory };
  return { module, functions, memory: new ProgramMemory(memory) };
}

/** The names alone. */
function named(constants: Program["constants"]): Program["constants"] {
  return Object.fromEntries(Object.keys(constants).map((name) => [name, new Int8Array(0)]));
}
