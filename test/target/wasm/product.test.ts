// Integer products in WebAssembly against sums written out: every method, all shapes of remainders, the largest operands, blocks of
// columns. What packs, widens and sums operands is part of each product, and is tested on its own where a product would not see it.

import { describe, expect, it } from "vitest";
import { random } from "../../../packages/lutra/src/num/index.ts";
import { assemble, type FunctionDefinition } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import {
  PANEL_COLUMNS,
  PRODUCT_METHODS,
  type ProductMethod,
  type ProductStarts,
  panelBytes,
  productFunction,
  productLayout,
} from "../../../packages/lutra/src/target/wasm/product.ts";
import { columnSumsFunction, packFunction } from "../../../packages/lutra/src/target/wasm/product-pack.ts";
import { isProbeExact, productProbe } from "../../../packages/lutra/src/target/wasm/product-probe.ts";
import { rowSumsFunction, shiftFunction, widenFunction } from "../../../packages/lutra/src/target/wasm/product-rows.ts";
import { FORMS, withoutBaselineCompiler } from "./forms.ts";

withoutBaselineCompiler();

const METHODS = PRODUCT_METHODS.filter((method) => FORMS.includes("relaxed") || !method.startsWith("relaxed"));
const STARTS: readonly ProductStarts[] = ["none", "row", "column", "both"];
const MEMORY_BYTES = 2 ** 20;
/** What nothing may write. */
const UNTOUCHED = 0x5a;

type Functions = Readonly<Record<string, (...args: readonly number[]) => void>>;

/** Modules by what is in them. */
const compiled = new Map<string, WebAssembly.Module>();

function moduleOf(name: string, functions: () => Readonly<Record<string, FunctionDefinition>>): WebAssembly.Module {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const bytes = assemble({ functions: functions(), globals: {}, data: [], memoryBytes: MEMORY_BYTES });
  const module = new WebAssembly.Module(bytes);
  compiled.set(name, module);
  return module;
}

/** The functions over one memory full of garbage, handed out front to back with gaps between. */
class Module {
  readonly run: Functions;
  readonly bytes: Uint8Array;
  #end = 64;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module);
    this.run = exports as unknown as Functions;
    this.bytes = new Uint8Array((exports.memory as WebAssembly.Memory).buffer).fill(UNTOUCHED);
  }

  place(bytes: number): number {
    const at = this.#end;
    this.#end = at + Math.ceil(bytes / 16) * 16 + 64;
    if (this.#end > MEMORY_BYTES) throw new RangeError("too little memory");
    return at;
  }

  /** Rows of integers, so many bytes apart. */
  rows(rows: readonly (readonly number[])[], bytes: 1 | 2 | 4, stride: number): number {
    const at = this.place(rows.length * stride);
    const view = new DataView(this.bytes.buffer);
    for (const [i, row] of rows.entries()) {
      for (const [j, code] of row.entries()) {
        const address = at + i * stride + j * bytes;
        if (bytes === 1) view.setInt8(address, code);
        else if (bytes === 2) view.setInt16(address, code, true);
        else view.setInt32(address, code, true);
      }
    }
    return at;
  }

  numbers(at: number, count: number): number[] {
    return Array.from(new Int32Array(this.bytes.buffer, at, count));
  }

  isUntouched(from: number, to: number): boolean {
    return this.bytes.subarray(from, to).every((byte) => byte === UNTOUCHED);
  }
}

type Matrix = readonly (readonly number[])[];

interface Case {
  readonly method: ProductMethod;
  readonly starts: ProductStarts;
  readonly isTransposed: boolean;
  /** [m, k] and [k, n]. */
  readonly a: Matrix;
  readonly b: Matrix;
}

const rowStart = (i: number): number => 1000 * i - 5000;
const columnStart = (j: number): number => 2 ** 20 + 77 * j;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const flipped = (matrix: Matrix): Matrix =>
  (matrix[0] as number[]).map((_, j) => matrix.map((row) => row[j] as number));

interface Dimensions {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const dimensions = ({ a, b }: Pick<Case, "a" | "b">): Dimensions => ({
  m: a.length,
  n: (b[0] as number[]).length,
  k: b.length,
});

/** The product in blocks of so many columns, rows of sums a little longer than needed. */
function multiply({ method, starts, isTransposed, a, b }: Case, blockColumns = 1024): number[] {
  const { m, n, k } = dimensions({ a, b });
  const module = new Module(
    moduleOf(`${method} ${starts} ${isTransposed}`, () => ({
      pack: packFunction(method, isTransposed),
      product: productFunction(method, starts),
    })),
  );
  const { aBytes, bBytes, step, roomBytes } = productLayout(method);
  const depth = Math.ceil(k / step) * step;
  const padded = Math.ceil(n / PANEL_COLUMNS) * PANEL_COLUMNS;
  const [aStride, sumsStride] = [k * aBytes + 5, 4 * (padded + 3)];
  const source = isTransposed ? flipped(b) : b;
  const bStride = (source[0] as number[]).length * bBytes + 7;
  const left = module.rows(a, aBytes, aStride);
  const right = module.rows(source, bBytes, bStride);
  const packedBytes = (padded / PANEL_COLUMNS) * panelBytes(method, k);
  const panels = module.place(packedBytes);
  module.run.pack?.(right, bStride, panels, n, k, 0);
  expect(module.isUntouched(panels + packedBytes, panels + packedBytes + 64)).toBe(true);
  const rowStarts = module.rows([range(m).map(rowStart)], 4, 4 * m);
  const columnStarts = module.rows([range(padded).map(columnStart)], 4, 4 * padded);
  const sums = module.place(m * sumsStride);
  const room = module.place(depth * roomBytes);
  for (let first = 0; first < n; first += blockColumns) {
    const block = panels + (first / PANEL_COLUMNS) * panelBytes(method, k);
    const [target, from] = [sums + 4 * first, columnStarts + 4 * first];
    const columns = Math.min(blockColumns, n - first);
    module.run.product?.(left, aStride, block, target, sumsStride, rowStarts, from, m, columns, k, room);
  }
  expect(
    range(m).every((i) => module.isUntouched(sums + i * sumsStride + 4 * padded, sums + (i + 1) * sumsStride)),
  ).toBe(true);
  return range(m).flatMap((i) => module.numbers(sums + i * sumsStride, n));
}

function exact({ starts, a, b }: Case): number[] {
  return a.flatMap((row, i) =>
    (b[0] as number[]).map((_, j) => {
      const start =
        (starts === "row" || starts === "both" ? rowStart(i) : 0) +
        (starts === "column" || starts === "both" ? columnStart(j) : 0);
      return row.reduce((sum, x, at) => sum + x * ((b[at] as number[])[j] as number), start);
    }),
  );
}

/** Seeded codes of an operand: 0 to 127 where the method has 7 bits of it. */
function operand(method: ProductMethod, which: "a" | "b", rows: number, columns: number): Matrix {
  const source = random(which === "a" ? 1 : 2);
  const bits = method === "wide" ? 12 : 8;
  const isSeven = method === `relaxed-${which}`;
  return range(rows).map(() =>
    range(columns).map(() => {
      const code = Math.floor(source.uniform() * 2 ** bits) - 2 ** (bits - 1);
      return isSeven ? (code + 128) >> 1 : code;
    }),
  );
}

const operands = (method: ProductMethod, m: number, k: number, n: number): Pick<Case, "a" | "b"> => ({
  a: operand(method, "a", m, k),
  b: operand(method, "b", k, n),
});

describe.each(METHODS)("the product %s", (method) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 23])("of %i rows is exact for all remainders of columns and depth", (m) => {
    for (const n of [1, 7, 8, 9, 23]) {
      for (const k of [1, 2, 3, 4, 5, 12, 16, 17, 33]) {
        const product: Case = { method, starts: "both", isTransposed: (n + k) % 2 === 0, ...operands(method, m, k, n) };
        expect(multiply(product), `${m} x ${k} x ${n}`).toEqual(exact(product));
      }
    }
  });

  it.each(STARTS)("begins its sums over: %s", (starts) => {
    for (const m of [1, 11, 20]) {
      const product: Case = { method, starts, isTransposed: false, ...operands(method, m, 9, 19) };
      expect(multiply(product), `${m} rows`).toEqual(exact(product));
    }
  });

  it.each([false, true])("packs b of many panels, transposed: %s", (isTransposed) => {
    const product: Case = { method, starts: "none", isTransposed, ...operands(method, 3, 50, 150) };
    expect(multiply(product)).toEqual(exact(product));
  });

  it("is the same in blocks of columns", () => {
    const product: Case = { method, starts: "both", isTransposed: false, ...operands(method, 19, 20, 45) };
    expect(multiply(product, 16)).toEqual(exact(product));
  });

  it("is exact for the largest operands of both signs", () => {
    const [least, most] = method === "wide" ? [-1400, 1400] : [-128, 127];
    const fill = (rows: number, columns: number, of: (place: number) => number): Matrix =>
      range(rows).map((i) => range(columns).map((j) => of(i + j)));
    const a = fill(20, 1000, () => (method === "relaxed-a" ? most : least));
    const b = fill(1000, 10, (place) => (method === "relaxed-b" ? most : place % 5 === 0 ? most : least));
    const product: Case = { method, starts: "both", isTransposed: false, a, b };
    expect(multiply(product)).toEqual(exact(product));
  });

  it("packs zeros beyond k, whatever is added", () => {
    for (const isTransposed of [false, true]) {
      const [n, k] = [11, 9];
      const b = operand(method, "b", k, n).map((row) => row.map((code) => code % 64));
      const { bBytes, group, step } = productLayout(method);
      const source = isTransposed ? flipped(b) : b;
      const stride = (source[0] as number[]).length * bBytes;
      const module = new Module(
        moduleOf(`pack ${method} ${isTransposed}`, () => ({ pack: packFunction(method, isTransposed) })),
      );
      const right = module.rows(source, bBytes, stride);
      const panels = module.place(2 * panelBytes(method, k));
      module.run.pack?.(right, stride, panels, n, k, 64);
      const view = new DataView(module.bytes.buffer);
      const added = bBytes === 1 ? 64 : 0;
      for (const x of range(Math.ceil(k / step) * step)) {
        for (const j of range(n)) {
          const place = Math.floor(x / group) * PANEL_COLUMNS * group + (j % PANEL_COLUMNS) * group + (x % group);
          const at = panels + Math.floor(j / PANEL_COLUMNS) * panelBytes(method, k) + place * bBytes;
          const code = bBytes === 1 ? view.getInt8(at) : view.getInt16(at, true);
          expect(code, `row ${x}, column ${j}`).toBe(x < k ? ((b[x] as number[])[j] as number) + added : 0);
        }
      }
    }
  });

  it("has starts that are sums of columns", () => {
    for (const [n, k] of [
      [1, 1],
      [8, 64],
      [13, 131],
    ] as const) {
      const b = operand(method, "b", k, n);
      const { bBytes } = productLayout(method);
      const module = new Module(
        moduleOf(`columns ${method}`, () => ({ pack: packFunction(method, false), sums: columnSumsFunction(method) })),
      );
      const right = module.rows(b, bBytes, n * bBytes);
      const panels = module.place(Math.ceil(n / PANEL_COLUMNS) * panelBytes(method, k));
      const starts = module.place(4 * Math.ceil(n / PANEL_COLUMNS) * PANEL_COLUMNS);
      module.run.pack?.(right, n * bBytes, panels, n, k, 0);
      module.run.sums?.(panels, starts, n, k, -64);
      const sums = flipped(b).map((column) => column.reduce((sum, code) => sum - 64 * code, 0));
      expect(module.numbers(starts, n)).toEqual(sums);
    }
  });
});

describe.each([
  ["signed", true],
  ["unsigned", false],
] as const)("rows of %s bytes", (_, isSigned) => {
  const codes = operand("simd", "a", 5, 70).map((row) => row.map((code) => (isSigned ? code : code + 128)));

  it.each([1, 15, 16, 17, 33, 70])("are summed over %i columns", (k) => {
    const rows = codes.map((row) => row.slice(0, k));
    const module = new Module(moduleOf(`rows ${isSigned}`, () => ({ sums: rowSumsFunction(isSigned) })));
    const a = module.rows(rows, 1, k);
    const starts = module.place(4 * rows.length);
    module.run.sums?.(a, k, starts, rows.length, k, -64);
    expect(module.numbers(starts, rows.length)).toEqual(
      rows.map((row) => row.reduce((sum, code) => sum - 64 * code, 0)),
    );
    expect(module.isUntouched(starts + 4 * rows.length, starts + 4 * rows.length + 64)).toBe(true);
  });

  it.each([1, 15, 16, 17, 33, 70])("become 16 bits, %i columns", (k) => {
    const rows = codes.map((row) => row.slice(0, k));
    const module = new Module(moduleOf(`widen ${isSigned}`, () => ({ widen: widenFunction(isSigned) })));
    const a = module.rows(rows, 1, k + 3);
    const stride = 2 * Math.ceil(k / 16) * 16;
    const target = module.place(rows.length * stride);
    module.run.widen?.(a, k + 3, target, stride, rows.length, k);
    const wide = rows.map((_, i) => Array.from(new Int16Array(module.bytes.buffer, target + i * stride, k)));
    expect(wide).toEqual(rows);
    expect(module.isUntouched(target + rows.length * stride, target + rows.length * stride + 64)).toBe(true);
  });
});

it.each([1, 15, 16, 17, 33, 70])("rows of %i bytes are copied with 64 added", (k) => {
  const rows = operand("simd", "a", 5, k).map((row) => row.map((code) => code >> 1));
  const module = new Module(moduleOf("shift", () => ({ shift: shiftFunction() })));
  const a = module.rows(rows, 1, k + 3);
  const stride = Math.ceil(k / 16) * 16;
  const target = module.place(rows.length * stride);
  module.run.shift?.(a, k + 3, target, stride, rows.length, k, 64);
  const shifted = rows.map((_, i) => Array.from(module.bytes.subarray(target + i * stride, target + i * stride + k)));
  expect(shifted).toEqual(rows.map((row) => row.map((code) => code + 64)));
  expect(module.isUntouched(target + rows.length * stride, target + rows.length * stride + 64)).toBe(true);
});

describe.runIf(FORMS.includes("relaxed"))("the probe of products", () => {
  const probe = productProbe();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probe.bytes));
  const memory = exports.memory as WebAssembly.Memory;
  const run = exports as unknown as Readonly<Record<"relaxed" | "simd", (...args: readonly number[]) => void>>;

  it("is not exact before it has run", () => {
    expect(isProbeExact(probe, memory)).toBe(false);
  });

  it("is exact on an engine that is right, and not when one sum is wrong", () => {
    run.relaxed(...probe.calls.relaxed);
    run.simd(...probe.calls.simd);
    expect(isProbeExact(probe, memory)).toBe(true);
    new Int32Array(memory.buffer, probe.sums.relaxed, probe.count)[probe.count - 1] ^= 1;
    expect(isProbeExact(probe, memory)).toBe(false);
  });
});
