// Kernels of 8 bits in every way there is to write them, against interpret(): at every code, in every form, for every count, in place and at
// any address. Which answers are lines is checked by putting the lines together again.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFn } from "../../../packages/lutra/src/fn/index.ts";
import { fill, interpret, type Kernel } from "../../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../../packages/lutra/src/layer/index.ts";
import { parseFormat, random } from "../../../packages/lutra/src/num/index.ts";
import type { Table } from "../../../packages/lutra/src/table/index.ts";
import { type CodeLines, codeLines, LINE_KINDS } from "../../../packages/lutra/src/target/wasm/code-lines.ts";
import { type EmittedModule, emit } from "../../../packages/lutra/src/target/wasm/index.ts";
import { FORMS } from "./forms.ts";

const CODES = 256;
/** More than any round takes, twice. */
const MOST = 600;
const PAGE = 65536;
const source = random(29);

const signed = (pattern: number): number => (pattern < 128 ? pattern : pattern - 256);
const answersOf = (of: (code: number) => number): number[] =>
  Array.from({ length: CODES }, (_, pattern) => Math.min(127, Math.max(-128, Math.round(of(signed(pattern))))) + 0);
const sampled = (fn: string, input: number, output: number): number[] => {
  const { evaluate } = parseFn(fn);
  return answersOf((code) => evaluate(code * input) / output);
};

/** Answers to the bit patterns 0 to 255, by the way they go. */
const WAYS: Readonly<
  Record<string, { answers: readonly number[]; width: number; isRaised: boolean } | readonly number[]>
> = {
  "lines of 16 codes": {
    answers: answersOf((x) => Math.floor(x / 16) * 3 + Math.floor((x & 15) / 4)),
    width: 16,
    isRaised: false,
  },
  identity: { answers: answersOf((x) => x), width: 16, isRaised: false },
  complement: { answers: answersOf((x) => -1 - x), width: 16, isRaised: false },
  steep: { answers: answersOf((x) => (x & 15) * 15 - 112), width: 16, isRaised: false },
  "lines of 8 codes": {
    answers: answersOf((x) => ((x >> 3) & 1 ? x & 7 : -2 * (x & 7)) + (x >> 4) * 5),
    width: 8,
    isRaised: false,
  },
  "a constant": { answers: answersOf(() => -7), width: 16, isRaised: false },
  gelu: { answers: sampled("gelu", 1 / 32, 1 / 32), width: 16, isRaised: true },
  silu: { answers: sampled("silu", 1 / 16, 1 / 16), width: 16, isRaised: true },
  sigmoid: { answers: answersOf((x) => 256 / (1 + 2 ** (-x / 22)) - 128), width: 16, isRaised: true },
  tanh: { answers: sampled("tanh", 1 / 32, 1 / 128), width: 8, isRaised: true },
  erf: { answers: sampled("erf", 1 / 32, 1 / 128), width: 8, isRaised: true },
  "no lines at all": answersOf(() => source.below(256) - 128),
};

function kernelOf(answers: readonly number[], input: "int8" | "uint8", output: "int8" | "uint8"): Kernel {
  const first = input === "int8" ? -128 : 0;
  const spec = {
    fn: "x",
    domain: { lo: -Infinity, hi: Infinity },
    input: parseFormat(input),
    output: parseFormat(output),
  };
  const inOrder = Array.from({ length: CODES }, (_, i) => answers[(first + i + CODES) % CODES] as number);
  const table: Table = {
    spec,
    reductions: [],
    clamp: [first, first + CODES - 1],
    index: { rule: "direct", first },
    coefficients: [output === "int8" ? inOrder : inOrder.map((answer) => answer + 128)],
    shift: 0,
    rounding: "floor",
  };
  return fill(elementwise(spec), { f: table });
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly heap: { readonly value: number };
  readonly run: (input: number, output: number, count: number) => void;
}

function load({ bytes }: EmittedModule): Exports {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  exports.memory.grow(1);
  return exports;
}

/** The answers as bytes, by interpret(). */
function expected(kernel: Kernel, patterns: Uint8Array): Uint8Array {
  const isSigned = kernel.spec.input.kind === "integer" && kernel.spec.input.signed;
  const x = Float64Array.from(patterns, (pattern) => (isSigned ? signed(pattern) : pattern));
  return Uint8Array.from(interpret(kernel, { x }, 1, x.length)[0] as Float64Array, (answer) => answer & 255);
}

const shuffled = Uint8Array.from({ length: MOST }, (_, i) => (i < CODES ? (i * 77) % CODES : source.below(CODES)));

describe.each(Object.entries(WAYS))("%s:", (_name, way) => {
  const answers = "answers" in way ? way.answers : way;

  test("the lines found give the answers, and are those expected", () => {
    const lines = codeLines(answers, LINE_KINDS);
    if (!("answers" in way)) expect(lines).toBeNull();
    else {
      expect({ width: lines?.width, isRaised: lines?.raised !== null }).toEqual({
        width: way.width,
        isRaised: way.isRaised,
      });
      expect(together(lines as CodeLines)).toEqual(answers);
    }
  });

  describe.each(FORMS)("in the %s form", (form) => {
    test.each([
      ["int8", "int8"],
      ["uint8", "int8"],
      ["int8", "uint8"],
      ["uint8", "uint8"],
    ] as const)("every code of %s to %s", (input, output) => {
      const kernel = kernelOf(answers, input, output);
      const { memory, heap, run } = load(emit(kernel, { form }));
      const all = new Uint8Array(memory.buffer);
      const at = heap.value;
      all.set(shuffled, at);
      run(at, at + MOST, MOST);
      expect(all.slice(at + MOST, at + 2 * MOST)).toEqual(expected(kernel, shuffled));
    });

    test(`every count up to ${MOST}, at any address, in place, and nothing beside them`, () => {
      const kernel = kernelOf(answers, "int8", "int8");
      const { memory, heap, run } = load(emit(kernel, { form }));
      const all = new Uint8Array(memory.buffer);
      const right = expected(kernel, shuffled);
      for (let count = 0; count <= MOST; count++) {
        const at = heap.value + (count % 17);
        const to = count % 3 === 0 ? at : at + MOST + 1 + (count % 13);
        all.fill(0xa5, heap.value);
        all.set(shuffled.subarray(0, count), at);
        run(at, to, count);
        const y = all.slice(heap.value, heap.value + 2 * MOST + 64);
        const wanted = new Uint8Array(y.length).fill(0xa5);
        wanted.set(shuffled.subarray(0, count), at - heap.value);
        wanted.set(right.subarray(0, count), to - heap.value);
        expect(Buffer.compare(y, wanted), `${count} codes from ${at} to ${to}`).toBe(0);
      }
    });

    test("in an imported memory, at a base of its own", () => {
      const kernel = kernelOf(answers, "int8", "int8");
      const { bytes } = emit(kernel, { form, memory: { kind: "imported", base: PAGE, isShared: false } });
      const memory = new WebAssembly.Memory({ initial: 8 });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { lutra: { memory } });
      const { run } = exports as unknown as Exports;
      const all = new Uint8Array(memory.buffer);
      all.set(shuffled, 0);
      run(0, MOST, MOST);
      expect(all.slice(MOST, 2 * MOST)).toEqual(expected(kernel, shuffled));
      expect(all.slice(2 * MOST, PAGE).every((byte) => byte === 0)).toBe(true);
    });
  });
});

/** What lines say, code by code. */
function together({ width, shift, slopes, bases, raised }: CodeLines): number[] {
  return Array.from({ length: CODES }, (_, code) => {
    const i = Math.floor(code / width);
    const rise = Math.floor(((slopes[i] as number) * (code % width)) / 2 ** shift);
    return (bases[i] as number) + rise + (raised?.[code] === true ? 1 : 0);
  });
}

describe("lines", () => {
  const drawn = fc.record({
    width: fc.constantFrom(8 as const, 16 as const),
    shift: fc.integer({ min: 0, max: 7 }),
    slopes: fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 32, maxLength: 32 }),
    bases: fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 32, maxLength: 32 }),
    raised: fc.array(fc.boolean(), { minLength: CODES, maxLength: CODES }),
  });

  test("drawn at random are found again, or others with the same answers", () => {
    fc.assert(
      fc.property(drawn, (lines) => {
        const answers = together(lines);
        expect(together(codeLines(answers, LINE_KINDS) as CodeLines)).toEqual(answers);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("with a raised answer are not found where none may be", () => {
    const answers = answersOf((x) => (x === 5 ? 1 : 0));
    expect(codeLines(answers, LINE_KINDS.slice(0, 2))).toBeNull();
    expect(together(codeLines(answers, LINE_KINDS) as CodeLines)).toEqual(answers);
  });
});
