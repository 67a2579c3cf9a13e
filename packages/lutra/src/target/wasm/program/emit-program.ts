// A program as one WebAssembly module: a function for each kernel, each kind of product, packing and copying, over addresses in its memory. In
// which order they are called, and where in memory tensors are, the host decides: run/program.

import { LutraError } from "../../../base/index.ts";
import { type Kernel, type Lane, laneBits } from "../../../kernel/index.ts";
import { ACCUMULATOR, type Facts, factsOf, type Program, type TensorType } from "../../../program/index.ts";
import { assemble, type FunctionDefinition } from "../assembler-module.ts";
import { DataLayout } from "../data.ts";
import { kernelFunctions } from "../emit.ts";
import { type Port, portsOf } from "../module.ts";
import { type ProductMethod, type ProductStarts, productFunction, productLayout } from "../product.ts";
import { columnSumsFunction, packFunction } from "../product-pack.ts";
import { rowSumsFunction, shiftFunction, widenFunction } from "../product-rows.ts";
import { isOverRows } from "../rows/emit-rows.ts";
import { type WithoutBias, withoutBias } from "./bias.ts";
import { argmaxRows, copyElements, copyRows, fillBytes, gatherRows } from "./copies.ts";
import { type Factors, type Family, factorsOf, type ProductStep, startsOf } from "./factors.ts";

/** What is exported for a kernel. */
export interface KernelFunction {
  readonly name: string;
  readonly params: readonly Port[];
  readonly results: readonly Port[];
  /**
   *   elements  (params, results, count)
   *   rows      (params, results, scratch, rows, columns)
   *   sums      (params, results, scratch, row length of "sums", row length of all else per element, rows, columns): emitRows
   */
  readonly kind: "elements" | "rows" | "sums";
  /** Whether a row may be computed in parts of 16 columns each: no number of it depends on more than its column. */
  readonly isOfColumns: boolean;
  readonly scratchBytesPerColumn: number;
}

export interface ProductFunctions {
  readonly factors: Factors;
  readonly starts: ProductStarts;
  /** The argument that the sums start with; null where there is none, or the kernel adds it. */
  readonly bias: string | null;
  /** Name of the product's function, and of the kernel's. */
  readonly name: string;
  readonly kernel: KernelFunction;
}

/** A module, and what of it cannot be told from the program. */
export interface MadeModule {
  /** Exports "memory", "heap" (the first address behind the tables), and functions by name. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly heapBytes: number;
  /** scratchBytesPerColumn of each kernel's function, in the order of their first steps. */
  readonly scratch: readonly number[];
}

export interface ProgramModule extends MadeModule {
  /** Of all functions. */
  readonly names: readonly string[];
  readonly kernels: ReadonlyMap<Kernel, KernelFunction>;
  readonly products: ReadonlyMap<ProductStep, ProductFunctions>;
}

/** Names of the functions that do not depend on a kernel. */
export const FUNCTIONS = {
  pack: (method: ProductMethod, isTransposed: boolean): string => `pack${panelsOf(method)}${isTransposed ? "t" : ""}`,
  columnSums: (method: ProductMethod): string => `column-sums${panelsOf(method)}`,
  rowSums: "row-sums",
  shift: "shift",
  widen: { signed: "widen-signed", unsigned: "widen-unsigned" },
  copyRows: "copy-rows",
  copyElements: (bytes: number): string => `copy-elements-${bytes}`,
  gather: (lane: Lane): string => `gather-${lane}`,
  fill: "fill",
  argmax: (lane: Lane): string => `argmax-${lane}`,
} as const;

/** Of names, parameters and meaning of the functions: another one whenever they change. */
export const MODULE_VERSION = 1;

/** @throws LutraError "unsupported" for what no kernel or product of the wasm target does */
export function emitProgram(program: Program, family: Family): ProgramModule {
  return new Emission(program, family).finish();
}

/** Methods whose panels are alike have one name for them. */
function panelsOf(method: ProductMethod): string {
  const { group, bBytes } = productLayout(method);
  return `-${group}x${bBytes}`;
}

/** What emitProgram would give, of a module that it gave before. @throws LutraError "bad-model" for one of another program */
export function knownModule(program: Program, family: Family, made: MadeModule): ProgramModule {
  return new Emission(program, family, made).finish();
}

class Emission {
  readonly #program: Program;
  readonly #facts: Facts;
  readonly #family: Family;
  readonly #data = new DataLayout(0);
  readonly #made: MadeModule | null;
  /** Null where the module is made. */
  readonly #functions: Record<string, FunctionDefinition | null> = {};
  readonly #scratch: number[] = [];
  /** Steps share kernels, and their functions: those of steps, and those over the sums of products. */
  readonly #known = { kernel: new Map<Kernel, KernelFunction>(), product: new Map<Kernel, KernelFunction>() };
  readonly #withoutBias = new Map<Kernel, WithoutBias | null>();

  constructor(program: Program, family: Family, made: MadeModule | null = null) {
    this.#program = program;
    this.#made = made;
    this.#facts = factsOf(program);
    this.#family = family;
  }

  finish(): ProgramModule {
    const kernels = new Map<Kernel, KernelFunction>();
    const products = new Map<ProductStep, ProductFunctions>();
    for (const step of this.#program.blocks.flatMap(({ steps }) => steps)) {
      if (step.op === "product") products.set(step, this.#product(step));
      else if (step.op === "kernel") kernels.set(step.kernel, this.#kernel(step.kernel, "kernel"));
      else if (step.op === "gather") {
        const lane = this.#laneOf(step.ids);
        this.#add(FUNCTIONS.gather(lane), () => gatherRows(lane));
      } else if (step.op === "argmax") {
        const lane = this.#laneOf(step.input);
        this.#add(FUNCTIONS.argmax(lane), () => argmaxRows(lane));
      } else if (step.op === "move") this.#copies(this.#laneOf(step.result));
    }
    const names = Object.keys(this.#functions);
    if (this.#made !== null) return { ...this.#made, names, kernels, products };
    const bytes = assemble({
      functions: this.#functions as Record<string, FunctionDefinition>,
      globals: { heap: this.#data.end },
      data: this.#data.segments,
      memoryBytes: this.#data.end,
    });
    return { bytes, heapBytes: this.#data.end, scratch: this.#scratch, names, kernels, products };
  }

  #laneOf(tensor: string): Lane {
    return (this.#program.tensors[tensor] as TensorType).lane;
  }

  #add(name: string, make: () => FunctionDefinition): string {
    if (this.#functions[name] === undefined) this.#functions[name] = this.#made === null ? make() : null;
    return name;
  }

  #copies(lane: Lane): void {
    const bytes = (laneBits(lane) / 8) as 1 | 2 | 4;
    this.#add(FUNCTIONS.copyRows, copyRows);
    this.#add(FUNCTIONS.fill, fillBytes);
    this.#add(FUNCTIONS.copyElements(bytes), () => copyElements(bytes));
  }

  #product(step: ProductStep): ProductFunctions {
    const factors = factorsOf(step, this.#facts, this.#family);
    const { method, offsetA, offsetB, widenedA } = factors;
    this.#add(FUNCTIONS.pack(method, step.isTransposed), () => packFunction(method, step.isTransposed));
    if (offsetA !== 0) {
      this.#add(FUNCTIONS.columnSums(method), () => columnSumsFunction(method));
      this.#add(FUNCTIONS.shift, shiftFunction);
    }
    if (offsetB !== 0) this.#add(FUNCTIONS.rowSums, () => rowSumsFunction(true));
    if (widenedA !== null) this.#add(FUNCTIONS.widen[widenedA], () => widenFunction(widenedA === "signed"));
    const { kernel, bias } = this.#takeBias(step, factors);
    const starts = startsOf(factors, bias !== null);
    const name = this.#add(`product-${method}-${starts}`, () => productFunction(method, starts));
    return { factors, starts, bias, name, kernel: this.#kernel(kernel, "product") };
  }

  /** The bias is taken out where it is one row for all, and the columns' starts are free for it. */
  #takeBias(step: ProductStep, { offsetA }: Factors): { readonly kernel: Kernel; readonly bias: string | null } {
    const without = offsetA === 0 ? this.#endingOf(step.kernel) : null;
    const tensor = step.arguments[without?.bias ?? ""];
    if (without === null || tensor === undefined || this.#program.tensors[tensor]?.shape.length !== 1) {
      return { kernel: step.kernel, bias: null };
    }
    return { kernel: without.kernel, bias: tensor };
  }

  #endingOf(kernel: Kernel): WithoutBias | null {
    const known = this.#withoutBias.get(kernel);
    if (known !== undefined) return known;
    const without = withoutBias(kernel, ACCUMULATOR);
    this.#withoutBias.set(kernel, without);
    return without;
  }

  #kernel(kernel: Kernel, of: "kernel" | "product"): KernelFunction {
    const known = this.#known[of].get(kernel) ?? this.#emitted(kernel, of);
    this.#known[of].set(kernel, known);
    return known;
  }

  #emitted(kernel: Kernel, of: "kernel" | "product"): KernelFunction {
    const name = `${of === "product" ? "p" : "k"}${this.#known[of].size}`;
    const scratchBytesPerColumn = this.#madeScratch() ?? this.#emit(name, kernel, of);
    this.#functions[name] ??= null;
    this.#scratch.push(scratchBytesPerColumn);
    const isReduced = kernel.values.some((value) => value.op === "reduce");
    const { params, results } = portsOf(kernel);
    const isOfColumns = !isReduced && results.every(({ over }) => over === "element");
    const kind = of === "product" ? "sums" : isOverRows(kernel) ? "rows" : "elements";
    return { name, params, results, kind, isOfColumns, scratchBytesPerColumn };
  }
  /** @returns scratchBytesPerColumn */
  #emit(name: string, kernel: Kernel, of: "kernel" | "product"): number {
    const options = { isCompact: true, ...(of === "product" ? { strided: ACCUMULATOR } : {}) };
    const { run, scratchBytesPerColumn } = kernelFunctions(kernel, this.#family, this.#data, options);
    this.#functions[name] = run;
    return scratchBytesPerColumn;
  }

  #madeScratch(): number | null {
    if (this.#made === null) return null;
    const bytes = this.#made.scratch[this.#scratch.length];
    if (bytes === undefined) throw new LutraError("bad-model", "the module is of another program");
    return bytes;
  }
}
