// Kernels in the caller's memory: where the tables go, what else is touched, and what a caller can get wrong about it.

import { describe, expect, test } from "vitest";
import { compileKernel, footprint } from "../../packages/lutra/src/run/index.ts";
import { kernelOf } from "./kernels.ts";

const PAGE = 65536;
const kernel = kernelOf("binary32");
const x = Float32Array.from({ length: 1000 }, (_, i) => i / 7 - 40);
const expected = [...compileKernel(kernel).run(x)];

function memoryOf(pages: number, isShared = false): WebAssembly.Memory {
  return new WebAssembly.Memory(isShared ? { initial: pages, maximum: 100, shared: true } : { initial: pages });
}

describe.each([false, true])("in the caller's memory, shared: %s", (isShared) => {
  test("works in place on arrays that are there, and writes the tables and the output only", () => {
    const memory = memoryOf(1, isShared);
    const bytes = new Uint8Array(memory.buffer).fill(0xa5);
    const base = 4096;
    const { run } = compileKernel(kernel, { memory: { memory, base } });
    const input = new Float32Array(memory.buffer, 16384, x.length);
    const output = new Float32Array(memory.buffer, 32768, x.length);
    input.set(x);
    expect(run(input, output)).toBe(output);
    expect([...output]).toEqual(expected);
    const written = [
      [base, footprint(kernel)],
      [16384, 4 * x.length],
      [32768, 4 * x.length],
    ] as const;
    const isWritten = (at: number): boolean => written.some(([from, length]) => at >= from && at < from + length);
    expect(bytes.findIndex((byte, at) => byte !== 0xa5 && !isWritten(at))).toBe(-1);
    expect(footprint(kernel)).toBeLessThan(8192);
    expect([...run(input, input)]).toEqual(expected);
  });

  test("goes on after the caller made the memory grow", () => {
    const memory = memoryOf(1, isShared);
    const { run } = compileKernel(kernel, { memory: { memory, base: 0, bytes: footprint(kernel, 500) } });
    expect([...run(x)]).toEqual(expected);
    const before = new Float32Array(memory.buffer, 32768, x.length);
    memory.grow(2);
    const input = new Float32Array(memory.buffer, PAGE, x.length);
    input.set(x);
    expect([...run(input, new Float32Array(memory.buffer, 2 * PAGE, x.length))]).toEqual(expected);
    expect([...run(x)]).toEqual(expected);
    if (isShared) expect([...run(input, before)]).toEqual(expected);
    else expect(() => run(input, before)).toThrow("the memory of the output is detached");
  });
});

test("needs room for arrays that are elsewhere, as footprint says, in whole parts", () => {
  const memory = memoryOf(2);
  const bytes = footprint(kernel, 1);
  const small = compileKernel(kernel, { memory: { memory, base: 64, bytes } });
  expect([...small.run(x)]).toEqual(expected);
  const none = compileKernel(kernel, { memory: { memory, base: 64 } });
  expect(() => none.run(x)).toThrow(
    `the kernel's region has ${footprint(kernel)} bytes, copies of arrays that are elsewhere need ${bytes}`,
  );
  const inside = new Float32Array(memory.buffer, PAGE, x.length);
  expect(() => none.run(x, inside)).toThrow("copies of arrays that are elsewhere");
  expect(inside.every((y) => y === 0)).toBe(true);
});

test("several kernels share a memory", () => {
  const memory = memoryOf(3);
  const other = kernelOf("int8");
  const base = Math.ceil(footprint(kernel) / 64) * 64;
  const first = compileKernel(kernel, { memory: { memory, base: 0 } });
  const second = compileKernel(other, { memory: { memory, base } });
  const end = Math.ceil((base + footprint(other)) / 64) * 64;
  const floats = new Float32Array(memory.buffer, end, 3);
  floats.set([-5, 1, 2]);
  const codes = new Int8Array(memory.buffer, end + 64, 3);
  codes.set([-5, 1, 2]);
  expect([...first.run(floats, floats)]).toEqual([-3, 3, 5]);
  expect([...second.run(codes, codes)]).toEqual([-3, 3, 5]);
});

describe("refuses", () => {
  const tables = footprint(kernel);
  test.each([
    ["a base that is not aligned", { base: 32 }, "begins at a multiple of 64, got 32"],
    ["a base below 0", { base: -64 }, "begins at a multiple of 64, got -64"],
    ["too few bytes", { base: 0, bytes: 64 }, `tables need a region of ${tables} bytes, got 64`],
    [
      "a region that is outside",
      { base: PAGE },
      `${tables} bytes from ${PAGE} on is outside the memory of ${PAGE} bytes`,
    ],
    ["a region that ends outside", { base: 0, bytes: PAGE + 1 }, "is outside the memory"],
    [
      "a memory that is none",
      { memory: new ArrayBuffer(PAGE) as never, base: 0 },
      "is a WebAssembly.Memory, got object",
    ],
  ])("%s, and writes nothing", (_what, region, message) => {
    const memory = memoryOf(1);
    expect(() => compileKernel(kernel, { memory: { memory, ...region } })).toThrow(message);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  });

  test("arrays that touch its region, also the part that is for copies", () => {
    const memory = memoryOf(1);
    const bytes = footprint(kernel, 100);
    const { run } = compileKernel(kernel, { memory: { memory, base: 128, bytes } });
    const free = new Float32Array(memory.buffer, 32768, 4);
    const end = 128 + bytes;
    for (const at of [100, 128, end - 4]) {
      const touching = new Float32Array(memory.buffer, at - (at % 4), 4 + (at === 100 ? 8 : 0));
      expect(() => run(touching)).toThrow("an array overlaps the kernel's own part of the memory");
      expect(() => run(free, touching)).toThrow("an array overlaps the kernel's own part of the memory");
    }
    const [before, after] = [
      new Float32Array(memory.buffer, 112, 4),
      new Float32Array(memory.buffer, end - (end % 4) + 4, 4),
    ];
    expect([...run(before, after)]).toEqual([1, 1, 1, 1]);
  });

  test("to make arrays in it", () => {
    const { buffers } = compileKernel(kernel, { memory: { memory: memoryOf(1), base: 0 } });
    expect(() => buffers(4)).toThrow("this kernel's memory is the caller's");
  });
});
