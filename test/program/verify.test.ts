// What verify refuses: each rule of programs broken once.
import { describe, expect, it } from "vitest";
import { type Program, type Step, type TensorType, verify } from "../../packages/lutra/src/program/index.ts";
import { belowMaximum, classifier, epilogue, plain, programOf } from "./programs.ts";

const WHOLE: Program = classifier();

function withTensor(name: string, change: Partial<TensorType>): Program {
  const type = { ...(WHOLE.tensors[name] as TensorType), ...change };
  return { ...WHOLE, tensors: { ...WHOLE.tensors, [name]: type } };
}

function withStep(at: number, change: object): Program {
  const [block] = WHOLE.blocks as [Program["blocks"][0]];
  const steps = block.steps.map((step, i) => (i === at ? ({ ...step, ...change } as Step) : step));
  return { ...WHOLE, blocks: [{ ...block, steps }] };
}

const x: TensorType = { lane: "i8", shape: ["n", 4] };

describe("verify", () => {
  it("accepts what keeps the rules", () => {
    expect(() => verify(WHOLE)).not.toThrow();
  });

  it.each<readonly [Program, string]>([
    [withTensor("x", { shape: ["n", 11] }), "block all, step 0 (product): factors of [11] and [12] do not match"],
    [withTensor("x", { lane: "i32" }), 'a sum may be from -1623497637888 to 1623497637888, "sums" is from'],
    [withTensor("bias", { shape: [6] }), "its shape has 6 elements, its data 5"],
    [withTensor("bias", { lane: "u32" }), "its data is i32, not u32"],
    [withTensor("weights", { shape: ["n", 5] }), "its shape is in numbers"],
    [withTensor("logits", { lane: "i16" }), "result logits: lanes differ: i16 and i8"],
    [withTensor("logits", { shape: ["n", 6] }), "result logits: the shape is [n, 5], not [n, 6]"],
    [withTensor("logits", { range: [-100, 100] }), "logits may be from -128 to 127, promised are -100 to 100"],
    [withTensor("below", { shape: ["m", 5] }), "tensor below: the size m is not declared"],
    [withTensor("best", { lane: "u8" }), "step 2 (argmax): places are i32"],
    [withStep(0, { arguments: {} }), 'the kernel\'s param "bias" has no argument'],
    [withStep(0, { arguments: { bias: "weights" } }), 'weights as "bias": lanes differ: i8 and i32'],
    [withStep(0, { a: "logits" }), "tensor logits is read before it is written"],
    [withStep(0, { results: [] }), "the kernel gives 1 results"],
    [withStep(0, { results: ["x"] }), "tensor x cannot be written"],
    [withStep(0, { kernel: belowMaximum() }), 'the kernel needs an i32 param "sums" per element'],
    [withStep(0, { b: "nothing" }), "tensor nothing is not declared"],
    [withStep(1, { tile: [5] }), "a tile has at least two axes"],
    [withStep(1, { tile: ["n", 6] }), 'logits as "x": [n, 5] does not align with [n, 6]'],
    [{ ...WHOLE, outputs: { y: "other" } }, "output y: other is never written"],
    [{ ...WHOLE, sizes: [...WHOLE.sizes, { name: "m", least: 1, most: 2 }] }, "size m: no input has it"],
    [{ ...WHOLE, sizes: [{ name: "n", least: 3, most: 2 }] }, "size n goes from 3 to 2"],
  ])("refuses a broken rule %#", (program, message) => {
    expect(() => verify(program)).toThrow(message);
  });

  it("refuses rows longer than a kernel's sums are proven for", () => {
    const long = (most: number): Program => ({
      ...programOf({ x: { lane: "i8", shape: [1, "n"] }, y: { lane: "i16", shape: [1, "n"] } }, [
        { op: "kernel", kernel: belowMaximum(), tile: [1, "n"], arguments: { x: "x" }, results: ["y"] },
      ]),
      sizes: [{ name: "n", least: 1, most }],
    });
    expect(() => verify(long(64))).not.toThrow();
    expect(() => verify(long(65))).toThrow("rows of up to 65, the kernel's have at most 64");
  });

  it("judges sums by what the weights are and what the inputs promise", () => {
    const of = (input: TensorType, weights: Int8Array): Program =>
      programOf(
        {
          x: input,
          weights: { lane: "i8", shape: [4, 1] },
          bias: { lane: "i32", shape: [1] },
          y: { lane: "i8", shape: ["n", 1] },
        },
        [
          {
            op: "product",
            ...{ a: "x", b: "weights", isTransposed: false },
            ...{ kernel: epilogue(2), arguments: { bias: "bias" }, results: ["y"] },
          },
        ],
        { constants: { weights, bias: Int32Array.of(2 ** 20) } },
      );
    const wide: TensorType = { lane: "i32", shape: ["n", 4] };
    expect(() => verify(of(wide, Int8Array.of(0, 0, 0, 0)))).not.toThrow();
    expect(() => verify(of(wide, Int8Array.of(0, 1, 0, 0)))).toThrow("a sum may be from");
    expect(() => verify(of({ ...wide, range: [-(2 ** 20), 2 ** 20] }, Int8Array.of(-63, 63, 1, 1)))).not.toThrow();
    const bias = { bias: Int32Array.of(2 ** 20 + 1), weights: new Int8Array(4) };
    expect(() => verify({ ...of(x, new Int8Array(4)), constants: bias })).toThrow(
      'bias as "bias": holds 1048577 to 1048577, promised are -1048576 to 1048576',
    );
  });

  it.each<readonly [Step, string]>([
    [{ op: "reshape", input: "x", result: "y" }, "input and result have different numbers of elements"],
    [{ op: "gather", table: "x", ids: "x", result: "y" }, "the shape is [n, 4, 4], not [n, 3]"],
    [{ op: "count", result: "y" }, "counts are i32"],
    [{ op: "move", parts: [], fill: 128, result: "y" }, "the result cannot hold 128"],
    [
      {
        op: "move",
        parts: [{ from: "x", box: [1], read: { start: 0, strides: [] }, write: { start: 0, strides: [1] } }],
        fill: 0,
        result: "y",
      },
      "the part of x needs a stride for each axis of its box",
    ],
    [{ op: "exit", when: "x", outputs: {} }, "it gives no output y"],
    [{ op: "exit", when: "x", outputs: { y: "x" } }, "output y: the shape is [n, 3], not [n, 4]"],
    [
      { op: "product", a: "x", b: "x", isTransposed: true, kernel: plain(), arguments: {}, results: ["y"] },
      "result y: lanes differ",
    ],
  ])("refuses a step that does not fit its tensors %#", (step, message) => {
    expect(() => verify(programOf({ x, y: { lane: "i8", shape: ["n", 3] } }, [step]))).toThrow(message);
  });
});
