// Integer products in WebAssembly against sums written out: every method, all shapes of remainders, the largest operands.

import { describe, expect, it } from "vitest";
import { random } from "../../../packages/lutra/src/num/index.ts";
import { assemble } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import {
  PANEL_COLUMNS,
  type ProductMethod,
  productFunction,
  productLayout,
} from "../../../packages/lutra/src/target/wasm/product.ts";
import { FORMS, withoutBaselineCompiler } from "./forms.ts";

withoutBaselineCompiler();

const METHODS: readonly ProductMethod[] = FORMS.includes("relaxed") ? ["relaxed-a", "relaxed-b", "simd"] : ["simd"];
const MEMORY_BYTES = 2 ** 20;

interface Product {
  readonly method: ProductMethod;
  readonly over: "row" | "column";
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: (i: number, x: number) => number;
  readonly b: (x: number, j: number) => number;
  readonly start: (i: number) => number;
}

function multiply({ method, over, m, k, n, a, b, start }: Product): number[] {
  const run = productFunction(method, over);
  const bytes = assemble({ functions: { run }, globals: {}, data: [], memoryBytes: MEMORY_BYTES });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, run: product } = exports as unknown as {
    memory: WebAssembly.Memory;
    run: (...args: number[]) => void;
  };
  const { aBytes, group, step } = productLayout(method);
  const depth = Math.ceil(k / step) * step;
  const panels = Math.ceil(n / PANEL_COLUMNS);
  const of = aBytes === 1 ? Int8Array : Int16Array;
  const left = new of(memory.buffer, 64, m * depth);
  const right = new of(memory.buffer, 64 + 256 * 1024, panels * PANEL_COLUMNS * depth);
  const starts = new Int32Array(memory.buffer, 64 + 512 * 1024, Math.max(m, n));
  const sums = new Int32Array(memory.buffer, 64 + 640 * 1024, m * n + 8).fill(-1);
  for (let i = 0; i < m; i++) for (let x = 0; x < k; x++) left[i * depth + x] = a(i, x);
  for (let panel = 0; panel < panels; panel++) {
    const first = Math.min(panel * PANEL_COLUMNS, n - PANEL_COLUMNS);
    for (let x = 0; x < k; x++) {
      for (let j = 0; j < PANEL_COLUMNS; j++) {
        const place = Math.floor(x / group) * PANEL_COLUMNS * group + j * group + (x % group);
        right[panel * PANEL_COLUMNS * depth + place] = b(x, first + j);
      }
    }
  }
  starts.forEach((_, i) => {
    starts[i] = start(i);
  });
  product(left.byteOffset, right.byteOffset, sums.byteOffset, starts.byteOffset, m, n, depth, depth * aBytes);
  expect(Array.from(sums.subarray(m * n))).toEqual(new Array(8).fill(-1));
  return Array.from(sums.subarray(0, m * n));
}

function exact({ over, m, k, n, a, b, start }: Product): number[] {
  return Array.from({ length: m * n }, (_, place) => {
    const [i, j] = [Math.floor(place / n), place % n];
    let sum = start(over === "row" ? i : j);
    for (let x = 0; x < k; x++) sum += a(i, x) * b(x, j);
    return sum;
  });
}

/** Seeded codes of an operand: 0 to 127 where the method has 7 bits of it. */
function operand(method: ProductMethod, which: "a" | "b", seed: number): (i: number, j: number) => number {
  const source = random(seed);
  const codes = Int16Array.from({ length: 4096 }, () => Math.floor(source.uniform() * 256) - 128);
  const isSeven = method === `relaxed-${which}`;
  return (i, j) => {
    const code = codes[(i * 61 + j) % codes.length] as number;
    return isSeven ? Math.abs(code) % 128 : code;
  };
}

describe.each(METHODS)("the product %s", (method) => {
  it.each(["row", "column"] as const)(
    "is exact for all remainders of rows, columns and depth, started over the %s",
    (over) => {
      for (const m of [1, 2, 5, 6, 7, 13]) {
        for (const n of [8, 9, 15, 16, 23]) {
          for (const k of [1, 3, 4, 16, 17, 33]) {
            const [a, b] = [operand(method, "a", 1), operand(method, "b", 2)];
            const product: Product = { method, over, m, k, n, a, b, start: (i) => 1000 * i - 5000 };
            expect(multiply(product), `${m} x ${k} x ${n}`).toEqual(exact(product));
          }
        }
      }
    },
  );

  it("is exact for the largest operands of both signs", () => {
    const [seven, byte] = [127, -128];
    const a = (): number => (method === "relaxed-a" ? seven : byte);
    const b = (_: number, j: number): number => (method === "relaxed-b" ? seven : j % 2 === 0 ? byte : 127);
    const product: Product = { method, over: "row", m: 7, k: 1000, n: 10, a, b, start: () => 2 ** 30 };
    expect(multiply(product)).toEqual(exact(product));
  });
});
