// Programs for users: loaded from a file, run on numbers. The same in a page, in a worker and in Node.

import { checkCancelled, LutraError, type Session, type Tensors } from "../../base/index.ts";
import {
  moduleIn,
  type Program,
  type Quantization,
  readProgram,
  type Size,
  type TensorType,
} from "../../program/index.ts";
import type { Family, MadeModule } from "../../target/wasm/index.ts";
import { checkFamily, chooseFamily } from "./family.ts";
import { type FetchOptions, fetchBytes, type Source } from "./fetch-bytes.ts";
import { madeModule } from "./made-module.ts";
import { ProgramRunner, type RunOptions } from "./program-runner.ts";

/** Of the modules that files bring along: programFile. */
const MADE_FAMILY: Family = "relaxed";

export interface OpenOptions {
  /** Of the WebAssembly module; absent, the faster one here, by a measurement of some milliseconds once in a process. All have the same bits. */
  readonly form?: Family;
}

export interface LoadOptions extends OpenOptions, FetchOptions {}

/** What a program takes or gives under a name. */
export interface ProgramPort {
  /** Named sizes are those of a run. */
  readonly shape: readonly Size[];
  /** How codes stand for numbers; null for integers, such as ids. */
  readonly quantization: Quantization | null;
  /** Integers that are taken, ends included, where there is no quantization. */
  readonly range: readonly [lo: number, hi: number] | null;
}

export interface LoadedProgram extends Session {
  readonly form: Family;
  readonly inputs: Readonly<Record<string, ProgramPort>>;
  readonly outputs: Readonly<Record<string, ProgramPort>>;
  /** Bytes of its WebAssembly memory. */
  readonly memoryBytes: number;
  /**
   * Numbers in, numbers out: float inputs are quantized, outputs are numbers again.
   * @param inputs by name, row-major; integers such as ids in an array of any kind
   * @param outputs the names that are wanted; all if absent
   * @throws LutraError "bad-data" for inputs that are missing, of another shape, NaN, or ids outside their range
   */
  run(inputs: Tensors, outputs?: readonly string[]): Promise<Tensors>;
  /** Forgets everything: its memory goes with it. */
  release(): Promise<void>;
  /** The same of codes, at once: what goes in and comes out are the integers of the program. */
  runCodes(inputs: Tensors, options?: RunOptions): Tensors;
}

/**
 * Loads a compiled model.
 *
 *     const model = await load("model.lutra");
 *     const { logits } = await model.run({ input: { shape: [1, 98, 40], data } });
 *
 * @param source a URL, in Node also a path, or the file's bytes
 * @throws LutraError "io" for what cannot be read; "bad-model" for a file that is damaged or no program; "unsupported" where the engine
 *   lacks WebAssembly SIMD; "cancelled"
 */
export async function load(source: Source, options: LoadOptions = {}): Promise<LoadedProgram> {
  if (typeof source !== "string" && !(source instanceof Object)) {
    throw new LutraError("bad-argument", `a program is loaded from a URL, a path or bytes, got ${String(source)}`);
  }
  checkCancelled({ signal: options.signal });
  const bytes = await fetchBytes(source, options);
  checkCancelled({ signal: options.signal });
  const program = programIn(bytes, source);
  const family = familyOf(options);
  const module = family === MADE_FAMILY ? moduleIn(bytes) : null;
  const made = module === null ? null : await madeModule(module);
  checkCancelled({ signal: options.signal });
  return opened(program, family, made);
}

/** What is wrong with a file says with which. */
function programIn(bytes: Uint8Array<ArrayBuffer>, source: Source): Program {
  try {
    return readProgram(bytes);
  } catch (cause) {
    if (!(cause instanceof LutraError) || (typeof source !== "string" && !(source instanceof URL))) throw cause;
    const where = cause.where === undefined ? String(source) : `${source}: ${cause.where}`;
    throw new LutraError(cause.code, cause.message, { where, cause, ...(cause.note && { note: cause.note }) });
  }
}

/** A program made ready to run. @throws LutraError "unsupported" as load; "bad-argument" for another form */
export function openProgram(program: Program, options: OpenOptions = {}): LoadedProgram {
  return opened(program, familyOf(options), null);
}

function familyOf({ form }: OpenOptions): Family {
  if (form !== undefined && form !== "simd" && form !== "relaxed") {
    throw new LutraError("bad-argument", `a program's form is simd or relaxed, got ${String(form)}`);
  }
  return compiling(() => {
    const family = form ?? chooseFamily();
    checkFamily(family);
    return family;
  });
}

function opened(program: Program, family: Family, made: MadeModule | null): LoadedProgram {
  return compiling(() => loaded(new ProgramRunner(program, family, made), family, portsOf(program)));
}

/** What is compiled has been validated: only a page's policy can forbid it. */
function compiling<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError || cause instanceof EvalError)) throw cause;
    const note = "the page's Content-Security-Policy has to allow 'wasm-unsafe-eval' in script-src";
    throw new LutraError("unsupported", `WebAssembly may not be compiled here: ${cause.message}`, { note, cause });
  }
}

type Ports = Pick<LoadedProgram, "inputs" | "outputs">;

function portsOf({ tensors, inputs, outputs }: Program): Ports {
  const port = (tensor: string): ProgramPort => {
    const { shape, quantization = null, range = null } = tensors[tensor] as TensorType;
    return { shape, quantization, range };
  };
  return {
    inputs: Object.fromEntries(inputs.map((name) => [name, port(name)])),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, port(tensor)])),
  };
}

/** Nothing here holds the program, whose constants are in the runner's memory. */
function loaded(made: ProgramRunner, form: Family, ports: Ports): LoadedProgram {
  let runner: ProgramRunner | null = made;
  const names = Object.keys(ports.inputs);
  const live = (): ProgramRunner => {
    if (runner === null) throw new LutraError("bad-argument", "the program was released");
    return runner;
  };
  return {
    form,
    ...ports,
    get memoryBytes() {
      return runner === null ? 0 : runner.memoryBytes;
    },
    run: async (inputs, outputs) => {
      checkOutputs(outputs);
      const all = live().runNumbers(checkedInputs(names, inputs));
      return outputs === undefined ? all : Object.fromEntries(outputs.map((name) => [name, known(all, name)]));
    },
    runCodes: (inputs, runOptions) => live().runCodes(checkedInputs(names, inputs), runOptions),
    release: async () => {
      runner = null;
    },
  };
}

/** What is called from JavaScript may be anything. Further inputs are left alone. @throws LutraError "bad-data" */
function checkedInputs(names: readonly string[], inputs: unknown): Tensors {
  if (inputs === null || typeof inputs !== "object") {
    throw new LutraError("bad-data", "inputs are given by name: { name: { shape, data } }", {
      note: `those are ${names.join(", ")}`,
    });
  }
  for (const name of names) {
    const given: unknown = (inputs as Readonly<Record<string, unknown>>)[name];
    if (given === undefined) continue;
    const { shape, data } = (given ?? {}) as { readonly shape?: unknown; readonly data?: unknown };
    const isShape = Array.isArray(shape) && shape.every((extent) => Number.isInteger(extent) && extent >= 0);
    if (isShape && ArrayBuffer.isView(data) && !(data instanceof DataView)) continue;
    throw new LutraError("bad-data", `the input ${name} is no { shape, data } of a list of lengths and a typed array`, {
      note: `for example { shape: [1, 3], data: Float32Array.of(1, 2, 3) }`,
    });
  }
  return inputs as Tensors;
}

function checkOutputs(outputs: unknown): void {
  if (outputs === undefined || Array.isArray(outputs)) return;
  throw new LutraError("bad-argument", "the outputs that are wanted are a list of names");
}

function known(outputs: Tensors, name: string): Tensors[string] {
  const output = outputs[name];
  if (output !== undefined) return output;
  throw new LutraError("bad-argument", `the program has no output ${name}`, {
    note: `it has ${Object.keys(outputs).join(", ")}`,
  });
}
