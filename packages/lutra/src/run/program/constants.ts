// What a program's runs have in common in memory: constants, those that products multiply with packed into panels once, and states.

import { sizeOf } from "../../base/index.ts";
import { laneBits } from "../../kernel/index.ts";
import {
  type Codes,
  type Program,
  type Quantization,
  reciprocalsOf,
  scalesOf,
  type TensorType,
  tensorsRead,
} from "../../program/index.ts";
import {
  FUNCTIONS,
  PANEL_COLUMNS,
  PORT_STEP,
  type ProductFunctions,
  type ProductStep,
  type ProgramModule,
  panelBytes,
} from "../../target/wasm/index.ts";
import type { Functions, ProgramMemory } from "./program-memory.ts";
import { spaceOf } from "./slots.ts";

/** Addresses of what stays from run to run. */
export interface Fixed {
  /** Of constants and states, by tensor. */
  readonly tensors: ReadonlyMap<string, number>;
  /** Of constants packed for a product: panels of one matrix after another. */
  readonly panels: ReadonlyMap<ProductStep, number>;
  /** Of inputs one over their scales, of outputs their scales: repeated until they end where a step does. */
  readonly factors: { readonly inputs: ReadonlyMap<string, Factors>; readonly outputs: ReadonlyMap<string, Factors> };
  /** The first address behind all. */
  readonly end: number;
}

export interface Factors {
  readonly address: number;
  /** Behind the last. */
  readonly end: number;
}

/** Puts constants and zeros for states into memory. */
export function placeConstants(
  program: Program,
  module: ProgramModule,
  memory: ProgramMemory,
  functions: Functions,
): Fixed {
  const tensors = new Map<string, number>();
  const panels = new Map<ProductStep, number>();
  let end = module.heapBytes;
  const take = (bytes: number): number => {
    const address = end;
    end += spaceOf({ bytes });
    return address;
  };
  const read = namesRead(program);
  for (const name of [...Object.keys(program.constants), ...program.states]) {
    if (read.has(name) || program.states.includes(name)) tensors.set(name, take(bytesOf(program, name)));
  }
  const lists: { readonly address: number; readonly list: Float32Array }[] = [];
  const factorsOf = (
    names: readonly string[],
    of: (quantization: Quantization) => Float32Array,
  ): Map<string, Factors> =>
    new Map(
      names.flatMap((name) => {
        const { lane, quantization } = program.tensors[name] as TensorType;
        if (quantization === undefined || lane.startsWith("u")) return [];
        const list = repeated(of(quantization));
        const address = take(list.byteLength);
        lists.push({ address, list });
        return [[name, { address, end: address + list.byteLength }] as const];
      }),
    );
  const factors = {
    inputs: factorsOf(program.inputs, reciprocalsOf),
    outputs: factorsOf(Object.values(program.outputs), scalesOf),
  };
  const packings = new Map<string, { readonly address: number; readonly step: ProductStep }>();
  for (const step of module.products.keys()) {
    if (program.constants[step.b] === undefined) continue;
    const { factors } = packingOf(module, step);
    const key = `${step.b} ${factors.method} ${factors.offsetB} ${step.isTransposed}`;
    const known = packings.get(key);
    const packing = known ?? { address: take(matricesOf(program, module, step).bytes), step };
    packings.set(key, packing);
    panels.set(step, packing.address);
  }
  const largest = Math.max(0, ...[...packings.values()].map(({ step }) => bytesOf(program, step.b)));
  memory.grow(end + spaceOf({ bytes: largest }));
  for (const [name, address] of tensors) {
    const codes = program.constants[name];
    if (codes !== undefined) memory.put(codes, address);
  }
  for (const { address, step } of packings.values()) {
    memory.put(program.constants[step.b] as Codes, end);
    pack(program, module, step, { from: end, to: address }, functions);
  }
  for (const { address, list } of lists) memory.floats(address, list.length).set(list);
  return { tensors, panels, factors, end };
}

/** A list so often that its length is a multiple of a step's. */
function repeated(list: Float32Array): Float32Array {
  let length = list.length;
  while (length % PORT_STEP !== 0) length += list.length;
  return Float32Array.from({ length }, (_, i) => list[i % list.length] as number);
}

/** Constants that are read as they are, by other than products. */
function namesRead(program: Program): ReadonlySet<string> {
  const read = new Set(Object.values(program.outputs));
  for (const step of program.blocks.flatMap(({ steps }) => steps)) {
    const names = step.op === "product" ? [step.a, ...Object.values(step.arguments)] : tensorsRead(step);
    for (const name of names) read.add(name);
  }
  return read;
}

function bytesOf({ tensors }: Program, name: string): number {
  const { lane, shape } = tensors[name] as TensorType;
  return (sizeOf(shape as readonly number[]) * laneBits(lane)) / 8;
}

function packingOf({ products }: ProgramModule, step: ProductStep): ProductFunctions {
  return products.get(step) as ProductFunctions;
}

interface Matrices {
  readonly k: number;
  readonly n: number;
  readonly count: number;
  /** Of the panels of one, and of all. */
  readonly eachBytes: number;
  readonly bytes: number;
}

/** The matrices of a constant factor: b is [..., k, n], or [..., n, k] transposed. */
function matricesOf(program: Program, module: ProgramModule, step: ProductStep): Matrices {
  const shape = (program.tensors[step.b] as TensorType).shape as readonly number[];
  const [first, second] = shape.slice(-2) as [number, number];
  const [k, n] = step.isTransposed ? [second, first] : [first, second];
  const count = sizeOf(shape.slice(0, -2));
  const eachBytes = Math.ceil(n / PANEL_COLUMNS) * panelBytes(packingOf(module, step).factors.method, k);
  return { k, n, count, eachBytes, bytes: count * eachBytes };
}

function pack(
  program: Program,
  module: ProgramModule,
  step: ProductStep,
  { from, to }: { readonly from: number; readonly to: number },
  functions: Functions,
): void {
  const { factors } = packingOf(module, step);
  const { k, n, count, eachBytes } = matricesOf(program, module, step);
  const run = functions[FUNCTIONS.pack(factors.method, step.isTransposed)] as Functions[string];
  const bytes = laneBits((program.tensors[step.b] as TensorType).lane) / 8;
  const rowBytes = (step.isTransposed ? k : n) * bytes;
  for (let i = 0; i < count; i++) {
    run(from + i * k * n * bytes, rowBytes, to + i * eachBytes, n, k, factors.offsetB);
  }
}
