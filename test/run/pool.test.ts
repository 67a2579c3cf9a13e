// Pools of threads: the same bits as one thread, whoever works; what happens when they are closed, crash or cannot start.

import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Crew } from "../../packages/lutra/src/run/crew.ts";
import { compileKernel, type KernelPool, openPool } from "../../packages/lutra/src/run/index.ts";
import { WORDS } from "../../packages/lutra/src/run/pool-thread.ts";
import { Tempo } from "../../packages/lutra/src/run/tempo.ts";
import { ROOT } from "../shared.ts";
import { kernelOf } from "./kernels.ts";

const CHUNK = 32_768;
const LEAST = 16 * CHUNK;
const kernel = kernelOf("binary32");
const alone = compileKernel(kernel);

/** Runs a pool and one thread on the same input; the output is cleared before. */
function compare(pool: KernelPool, count: number, offset = 0): void {
  const { input, output } = pool.buffers(count + offset);
  for (let i = 0; i < input.length; i++) input[i] = ((i * 7919) % 1000) / 8 - 60;
  output.fill(9);
  const part = input.subarray(offset);
  pool.run(part, output.subarray(offset));
  const expected = alone.run(Float32Array.from(part));
  const isWrong = (y: number, i: number): boolean => y !== (i < offset ? 9 : expected[i - offset]);
  expect((output as Float32Array).findIndex(isWrong)).toBe(-1);
}

describe.each([1, 2, 4])("a pool of %s threads", (threads) => {
  let pool: KernelPool;
  beforeAll(async () => {
    pool = await openPool(kernel, { threads });
  });
  afterAll(() => pool.close());

  test.each([0, 1, CHUNK, LEAST - 1, LEAST, LEAST + 1, LEAST + CHUNK - 1, LEAST + CHUNK + 65])(
    "gives the bits of one thread for %s values",
    (count) => {
      for (let round = 0; round < 2; round++) compare(pool, count, round);
    },
  );

  test("works in place, and on arrays from elsewhere", () => {
    const { input } = pool.buffers(LEAST + 5);
    input.fill(2);
    expect(pool.run(input, input).every((y) => y === 5)).toBe(true);
    expect([...pool.run(Float32Array.of(-5, 1, 2))]).toEqual([-3, 3, 5]);
    expect([...pool.run(input.subarray(0, 2))]).toEqual([11, 11]);
  });
});

test("5 million values, several times over", async () => {
  const pool = await openPool(kernel, { threads: 4 });
  for (let round = 0; round < 3; round++) compare(pool, 5_000_192);
  pool.close();
});

test("codes of 8 bits", async () => {
  const codes = kernelOf("int8");
  const pool = await openPool(codes, { threads: 3 });
  const { input, output } = pool.buffers(5_000_000);
  for (let i = 0; i < input.length; i++) input[i] = (i * 31) % 251;
  pool.run(input, output);
  const expected = compileKernel(codes).run(Int8Array.from(input));
  expect(Buffer.compare(Buffer.from(output as Int8Array), Buffer.from(expected as Int8Array))).toBe(0);
  pool.close();
});

test("buffers of before stay good when there are more: shared memory does not detach", async () => {
  const pool = await openPool(kernel, { threads: 2 });
  const first = pool.buffers(LEAST);
  const second = pool.buffers(LEAST);
  first.input.fill(2);
  expect(pool.run(first.input, second.output).every((y) => y === 5)).toBe(true);
  pool.close();
});

describe("a pool refuses", () => {
  test.each([0, -1, 1.5, 65, Number.NaN])("%s threads", async (threads) => {
    await expect(openPool(kernel, { threads })).rejects.toThrow(`a pool has 1 to 64 threads, got ${threads}`);
  });

  test("what compileKernel's run refuses, in its words", async () => {
    const pool = await openPool(kernel, { threads: 2 });
    const { input, output } = pool.buffers(LEAST);
    expect(() => pool.run(null as never, output)).toThrow("the input of this kernel is a Float32Array, got null");
    expect(() => pool.run({ x: undefined } as never, output)).toThrow('the input "x" is missing');
    expect(() => pool.run(input, 3 as never)).toThrow("the output of this kernel is a Float32Array, got number");
    expect(() => pool.run(input, output.subarray(1))).toThrow(`has room for ${LEAST - 1} answers of ${LEAST}`);
    expect(() => pool.run(input, input.subarray(0, LEAST) as never)).not.toThrow();
    pool.close();
  });

  test("to run when it is closed, once or twice", async () => {
    const pool = await openPool(kernel, { threads: 2 });
    pool.close();
    pool.close();
    expect(() => pool.run(Float32Array.of(1))).toThrow("this pool is closed");
  });

  test("to open where memory cannot be shared", async () => {
    const kept = globalThis.SharedArrayBuffer;
    Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
    try {
      await expect(openPool(kernel, { threads: 2 })).rejects.toThrow("memory cannot be shared with threads");
      const pool = await openPool(kernel, { threads: 1 });
      expect([...pool.run(Float32Array.of(1))]).toEqual([3]);
    } finally {
      globalThis.SharedArrayBuffer = kept;
    }
  });
});

describe("a job", () => {
  const ports = {
    params: [{ name: "x", lane: "f32", over: "element" }],
    results: [{ name: "y", lane: "f32", over: "element" }],
    isOverRows: false,
  } as const;
  const job = { addresses: [0, 4000], scratch: 0, scratchBytes: 0, rows: 100, columns: 1, chunkRows: 10 };

  test("is done by the caller alone where nobody comes", () => {
    const runs: (readonly number[])[] = [];
    new Crew(ports, (...numbers) => void runs.push(numbers)).do({ ...job, rows: 95 }, 3);
    expect(runs).toHaveLength(10);
    expect(runs[3]).toEqual([120, 4120, 10]);
    expect(runs[9]).toEqual([360, 4360, 5]);
  });

  test("does not hang where a thread stops in the middle of a chunk, and is the last", () => {
    const { crew, control } = crewOf(() => undefined);
    const taken = new Crew(ports, () => {
      // The first chunk of the caller: another thread takes one and is never seen again.
      if (Atomics.load(taken.task.control, WORDS.left) === 9) Atomics.sub(taken.task.control, WORDS.left, 1);
    });
    expect(() => taken.do(job, 1)).toThrow("a thread of the pool stopped in the middle of its work");
    // It may only be slow: what it still counts and writes would pass for a part of the next job.
    const refusal = expect.objectContaining({ code: "cancelled", note: expect.stringContaining("open another") });
    expect(() => taken.do(job, 1)).toThrow(refusal);
    expect(() => taken.check()).toThrow(refusal);
    crew.do(job, 1);
    expect(Atomics.load(control, WORDS.done)).toBe(10);
  });

  test("says that the module trapped, and the next one goes on", () => {
    let isBad = true;
    const { crew } = crewOf(() => {
      if (isBad) throw new WebAssembly.RuntimeError("unreachable");
    });
    expect(() => crew.do(job, 1)).toThrow("the kernel's module trapped");
    isBad = false;
    crew.do(job, 1);
  });

  function crewOf(run: () => void): { readonly crew: Crew; readonly control: Int32Array } {
    const crew = new Crew(ports, run);
    return { crew, control: crew.task.control };
  }
});

describe("the way that jobs are done", () => {
  test("is the faster one, and the other is tried again now and then", () => {
    for (const helpedTime of [1, 3]) {
      const tempo = new Tempo();
      const ways = Array.from({ length: 200 }, () => {
        const isHelped = tempo.isHelpWanted();
        tempo.record(isHelped, 1000, isHelped ? helpedTime : 2);
        return isHelped;
      });
      const share = ways.slice(6).filter((isHelped) => isHelped === helpedTime < 2).length / 194;
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1);
    }
  });

  test("follows a machine that becomes busy", () => {
    const tempo = new Tempo();
    const ways = Array.from({ length: 400 }, (_, i) => {
      const isHelped = tempo.isHelpWanted();
      tempo.record(isHelped, 1000, isHelped ? (i < 100 ? 1 : 9) : 2);
      return isHelped;
    });
    expect(ways.slice(20, 100).filter(Boolean).length).toBeGreaterThan(65);
    expect(ways.slice(120).filter(Boolean).length).toBeLessThan(40);
  });
});

test("a pool that nobody closes does not keep a process, nor does a thread that is asleep", () => {
  const program = [
    'import { elementwise, fill, openPool, parseTable } from "lutra/run";',
    'const spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: { kind: "float", name: "binary32" }, output: { kind: "float", name: "binary32" } };',
    'const table = { spec, reductions: [], clamp: [-1, 1], index: { rule: "breakpoints", codes: [0] }, coefficients: [[0, 0], [1, 2]], shift: 0, rounding: "half-even" };',
    "const pool = await openPool(fill(elementwise(spec), { f: table }), { threads: 3 });",
    "const { input, output } = pool.buffers(1_000_000);",
    "console.log(input.fill(0.5) && pool.run(input, output)[999_999]);",
  ].join("\n");
  const started = performance.now();
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(output.trim()).toBe("1");
  expect(performance.now() - started).toBeLessThan(20_000);
});
