// What an emitted module is and what it asks of its host: where its memory is, which arrays it reads and writes. The same for every kernel
// and form.

import type { Kernel, Lane, Over, Value } from "../../kernel/index.ts";
import { assemble, type FunctionDefinition } from "./assembler-module.ts";
import type { DataLayout } from "./data.ts";
import { emitRepetitions } from "./repeat.ts";

/** "simd" needs the 128-bit SIMD of WebAssembly 2.0, "relaxed" the relaxed SIMD of 3.0, "scalar" nothing. All give the same bits. */
export type Form = (typeof FORMS)[number];
export const FORMS = ["scalar", "simd", "relaxed"] as const;

/** Where a module's memory comes from. */
export type ModuleMemory =
  /** Its own: exported as "memory", without a limit of its own. */
  | { readonly kind: "own" }
  /** Imported as "memory" from "lutra": the tables begin at `base`, a multiple of 64. A shared one is declared with at most 65,536 pages. */
  | { readonly kind: "imported"; readonly base: number; readonly isShared: boolean };

export interface EmitOptions {
  readonly form: Form;
  /** Its own if absent. */
  readonly memory?: ModuleMemory;
}

/** An array that run reads or writes. */
export interface Port {
  /** Of a param; "y", or "y0", "y1", ... for results. */
  readonly name: string;
  readonly lane: Lane;
  readonly over: Over;
}

export interface EmittedModule {
  /**
   * Exports `memory`, unless that is imported, `heap`, the first address behind the tables (unsigned), and `run`. Elementwise kernels:
   * run(address of each param, address of each result, count). Others: run(address of each param, of each result, scratch, rows, columns).
   * Addresses are multiples of an element's size and best of 16. A result may begin where a param does, if both vary per element in
   * elements of one size. Without columns nothing is written but results that are one number for all.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly form: Form;
  /** In the order of run's addresses. */
  readonly params: readonly Port[];
  readonly results: readonly Port[];
  /** Whether run takes rows and columns rather than a count. */
  readonly isOverRows: boolean;
  /** The longest row whose sums of integers are proven to fit; null where any length will do. */
  readonly maxColumns: number | null;
  /** Bytes from where the tables begin to `heap`. */
  readonly tableBytes: number;
  /** Bytes that run needs at `scratch`: so many for each column, columns rounded up to a multiple of 16. 0 for elementwise kernels. */
  readonly scratchBytesPerColumn: number;
}

export interface ModuleFunctions {
  readonly run: FunctionDefinition;
  readonly start?: FunctionDefinition;
}

export type Ports = Pick<EmittedModule, "params" | "results">;

/** The arrays of a kernel: params in order, then results. */
export function portsOf({ values, results }: Kernel): Ports {
  const params = values.flatMap((value) =>
    value.op === "param" ? [{ name: value.name, lane: value.lane, over: value.over }] : [],
  );
  const named = results.map((at, i) => {
    const { lane, over } = values[at] as Value;
    return { name: results.length === 1 ? "y" : `y${i}`, lane, over };
  });
  return { params, results: named };
}

/** Columns that a kernel's rows may have: sums of integers are proven to fit up to the spec's longest row. */
export function maxColumnsOf({ spec, values }: Kernel): number | null {
  const isSummed = values.some((value) => value.op === "reduce" && value.with !== "max" && value.lane !== "f32");
  return isSummed ? (spec.maxRow ?? null) : null;
}

/**
 * Puts functions and tables together. The data must begin where the memory's tables do.
 * @throws TypeError if both the tables and the caller have something to run at the start
 */
export function moduleBytes(
  data: DataLayout,
  { run, start }: ModuleFunctions,
  memory: ModuleMemory,
): Uint8Array<ArrayBuffer> {
  const isRepeated = data.repetitions.length > 0;
  if (isRepeated && start !== undefined) throw new TypeError("a module has one start");
  const first = isRepeated ? emitRepetitions(data.repetitions) : start;
  return assemble({
    functions: { run },
    ...(first === undefined ? {} : { start: first }),
    globals: { heap: data.end },
    data: data.segments,
    memoryBytes: data.end,
    ...(memory.kind === "own" ? {} : { importedMemory: { module: "lutra", isShared: memory.isShared } }),
  });
}
