// A program as one WebAssembly module: a function for each kernel, each kind of product, packing and copying, over addresses in its memory. In
// which order they are called, and where in memory tensors are, the host decides: run/program.

import type { Kernel, Lane } from "../../../kernel/index.ts";
import { ACCUMULATOR, Facts, type Program, type TensorType } from "../../../program/index.ts";
import { assemble, type FunctionDefinition } from "../assembler-module.ts";
import { DataLayout } from "../data.ts";
import { kernelFunctions } from "../emit.ts";
import { type Port, portsOf } from "../module.ts";
import { type ProductMethod, type ProductStarts, productFunction } from "../product.ts";
import { columnSumsFunction, packFunction } from "../product-pack.ts";
import { rowSumsFunction, shiftFunction, widenFunction } from "../product-rows.ts";
import { isOverRows } from "../rows/emit-rows.ts";
import { withoutBias } from "./bias.ts";
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

export interface ProgramModule {
  /** Exports "memory", "heap" (the first address behind the tables), and functions by name. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly heapBytes: number;
  readonly kernels: ReadonlyMap<Kernel, KernelFunction>;
  readonly products: ReadonlyMap<ProductStep, ProductFunctions>;
}

/** Names of the functions that do not depend on a kernel. */
export const FUNCTIONS = {
  pack: (method: ProductMethod, isTransposed: boolean): string => `pack-${method}${isTransposed ? "-transposed" : ""}`,
  columnSums: (method: ProductMethod): string => `column-sums-${method}`,
  rowSums: "row-sums",
  shift: "shift",
  widen: { signed: "widen-signed", unsigned: "widen-unsigned" },
  copyRows: "copy-rows",
  copyElements: (bytes: number): string => `copy-elements-${bytes}`,
  gather: (lane: Lane): string => `gather-${lane}`,
  fill: "fill",
  argmax: (lane: Lane): string => `argmax-${lane}`,
} as const;

/** @throws LutraError "unsupported" for what no kernel or product of the wasm target does */
export function emitProgram(program: Program, family: Family): ProgramModule {
  return new Emission(program, family).finish();
}

class Emission {
  readonly #program: Program;
  readonly #facts: Facts;
  readonly #family: Family;
  readonly #data = new DataLayout(0);
  readonly #functions: Record<string, FunctionDefinition> = {};
  /** Equal kernels have one function. */
  readonly #known = new Map<string, KernelFunction>();
  readonly #texts = new Map<Kernel, string>();

  constructor(program: Program, family: Family) {
    this.#program = program;
    this.#facts = new Facts(program);
    this.#family = family;
  }

  finish(): ProgramModule {
    const kernels = new Map<Kernel, KernelFunction>();
    const products = new Map<ProductStep, ProductFunctions>();
    for (const step of this.#program.blocks.flatMap(({ steps }) => steps)) {
      if (step.op === "product") products.set(step, this.#product(step));
      else if (step.op === "kernel") kernels.set(step.kernel, this.#kernel(step.kernel, ""));
      else if (step.op === "gather") {
        const lane = this.#laneOf(step.ids);
        this.#add(FUNCTIONS.gather(lane), () => gatherRows(lane));
      } else if (step.op === "argmax") {
        const lane = this.#laneOf(step.input);
        this.#add(FUNCTIONS.argmax(lane), () => argmaxRows(lane));
      } else if (step.op === "move") this.#copies();
    }
    const bytes = assemble({
      functions: this.#functions,
      globals: { heap: this.#data.end },
      data: this.#data.segments,
      memoryBytes: this.#data.end,
    });
    return { bytes, heapBytes: this.#data.end, kernels, products };
  }

  #laneOf(tensor: string): Lane {
    return (this.#program.tensors[tensor] as TensorType).lane;
  }

  #add(name: string, make: () => FunctionDefinition): string {
    this.#functions[name] ??= make();
    return name;
  }

  #copies(): void {
    this.#add(FUNCTIONS.copyRows, copyRows);
    this.#add(FUNCTIONS.fill, fillBytes);
    for (const bytes of [1, 2, 4] as const) this.#add(FUNCTIONS.copyElements(bytes), () => copyElements(bytes));
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
    return { factors, starts, bias, name, kernel: this.#kernel(kernel, ACCUMULATOR) };
  }

  /** The bias is taken out where it is one row for all, and the columns' starts are free for it. */
  #takeBias(step: ProductStep, { offsetA }: Factors): { readonly kernel: Kernel; readonly bias: string | null } {
    const without = offsetA === 0 ? withoutBias(step.kernel, ACCUMULATOR) : null;
    const tensor = step.arguments[without?.bias ?? ""];
    if (without === null || tensor === undefined || this.#program.tensors[tensor]?.shape.length !== 1) {
      return { kernel: step.kernel, bias: null };
    }
    return { kernel: without.kernel, bias: tensor };
  }

  /** @param sums the param that a product writes; "" of others */
  #kernel(kernel: Kernel, sums: string): KernelFunction {
    const text = this.#texts.get(kernel) ?? JSON.stringify(kernel);
    this.#texts.set(kernel, text);
    const key = `${sums} ${text}`;
    const known = this.#known.get(key) ?? this.#emitted(kernel, sums);
    this.#known.set(key, known);
    return known;
  }

  #emitted(kernel: Kernel, sums: string): KernelFunction {
    const name = `kernel-${this.#known.size}`;
    const isStrided = sums !== "";
    const options = isStrided ? { strided: sums } : { isCompact: true };
    const { run, scratchBytesPerColumn } = kernelFunctions(kernel, this.#family, this.#data, options);
    this.#functions[name] = run;
    const isReduced = kernel.values.some((value) => value.op === "reduce");
    const { params, results } = portsOf(kernel);
    const isOfColumns = !isReduced && results.every(({ over }) => over === "element");
    const kind = isStrided ? "sums" : isOverRows(kernel) ? "rows" : "elements";
    return { name, params, results, kind, isOfColumns, scratchBytesPerColumn };
  }
}
