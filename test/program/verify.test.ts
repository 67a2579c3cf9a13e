// What verify refuses: each rule of programs broken once.
import { describe, expect, it } from "vitest";
import {
  interpret,
  type Part,
  type Program,
  type Size,
  type Step,
  sizeIn,
  type TensorType,
  verify,
} from "../../packages/lutra/src/program/index.ts";
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
    [{ op: "exit", when: "x", outputs: { y: "x", z: "x" } }, "the program has no output z"],
    [{ op: "exit", when: "x", outputs: { toString: "x" } }, "the program has no output toString"],
    [{ op: "reshape", input: "toString", result: "y" }, "tensor toString is not declared"],
    [{ op: "move", parts: [], fill: 0.5, result: "y" }, "the result cannot hold 0.5"],
    [
      { op: "product", a: "x", b: "x", isTransposed: true, kernel: plain(), arguments: {}, results: ["y"] },
      "result y: lanes differ",
    ],
  ])("refuses a step that does not fit its tensors %#", (step, message) => {
    expect(() => verify(programOf({ x, y: { lane: "i8", shape: ["n", 3] } }, [step]))).toThrow(message);
  });
});

const i32: TensorType = { lane: "i32", shape: [2] };

function copied(from: string, result: string, part: Partial<Part> = {}): Step {
  const whole = { box: [2], read: { start: 0, strides: [1] }, write: { start: 0, strides: [1] } };
  return { op: "move", parts: [{ from, ...whole, ...part }], fill: 0, result };
}

function reshaped(input: string, result: string): Step {
  return { op: "reshape", input, result };
}

describe("the order of steps", () => {
  const all = { x: i32, y: i32, z: i32, row: { lane: "i32", shape: [1, 2] }, last: i32, fixed: i32 } as const;
  const rest = { states: ["last"], constants: { fixed: Int32Array.of(1, 2) } };
  const of = (steps: readonly Step[], change: Partial<Program> = {}): Program =>
    programOf(all, steps, { ...rest, ...change });

  it.each<readonly [string, Program]>([
    [
      "a state that is read, also reshaped, and then written",
      of([reshaped("last", "row"), copied("row", "y"), copied("x", "last")]),
    ],
    ["an output that is a state", of([copied("x", "last")], { outputs: { y: "last" } })],
    ["outputs that are inputs and constants", of([], { outputs: { y: "x", z: "fixed" } })],
    [
      "an exit with a state, an input or a constant",
      of([
        { op: "exit", when: "fixed", outputs: { y: "last" } },
        { op: "exit", when: "x", outputs: { y: "x" } },
        { op: "exit", when: "last", outputs: { y: "fixed" } },
        copied("x", "y"),
      ]),
    ],
  ])("may have %s", (_, program) => {
    expect(() => verify(program)).not.toThrow();
  });

  it.each<readonly [Program, string]>([
    [of([copied("x", "y"), copied("x", "y")]), "step 1 (move): tensor y is written twice"],
    [of([copied("x", "last"), copied("x", "last")]), "tensor last is written twice"],
    [of([copied("x", "fixed")]), "tensor fixed cannot be written"],
    [of([copied("y", "y")]), "tensor y is read before it is written"],
    [of([copied("last", "last")]), "tensor last is read by the step that writes it"],
    [of([reshaped("last", "row"), copied("row", "last")]), "tensor row is read by the step that writes it"],
    [of([copied("x", "last"), copied("last", "y")]), "tensor last is read behind the step that writes the state"],
    [of([copied("x", "last"), reshaped("last", "row")]), "tensor last is read behind the step that writes the state"],
    [
      of([reshaped("last", "row"), reshaped("row", "z"), copied("x", "last"), copied("z", "y")]),
      "tensor z is read behind the step that writes the state",
    ],
    [
      of([copied("x", "y"), copied("x", "last"), { op: "exit", when: "last", outputs: { y: "x" } }]),
      "tensor last is read behind the step that writes the state",
    ],
    [of([reshaped("last", "y"), copied("x", "last")]), "output y: y is a state that was written since"],
    [of([reshaped("x", "last")]), "a reshaped tensor is no state"],
    [of([reshaped("x", "y")], { inputs: ["x", "x"] }), "tensor x: inputs, states and constants are different tensors"],
    [of([reshaped("x", "y")], { inputs: ["x", "last"] }), "tensor last: inputs, states and constants are different"],
    [of([reshaped("x", "y")], { states: ["fixed"] }), "tensor fixed: inputs, states and constants are different"],
  ])("is refused %#", (program, message) => {
    expect(() => verify(program)).toThrow(message);
  });

  it("has results of a step that are different tensors", () => {
    expect(() => verify(withStep(0, { results: ["logits", "logits"] }))).toThrow("tensor logits is written twice");
  });

  it("has exits whose outputs stand for the same numbers", () => {
    const of = (scale: number): Program =>
      programOf(
        {
          x: { ...i32, quantization: { scale, zeroPoint: 0 } },
          y: { ...i32, quantization: { scale: 0.5, zeroPoint: 0 } },
        },
        [{ op: "exit", when: "x", outputs: { y: "x" } }, copied("x", "y")],
      );
    expect(() => verify(of(0.5))).not.toThrow();
    expect(() => verify(of(0.25))).toThrow("output y: quantizations differ");
  });
});

describe("sizes", () => {
  const big = 2 ** 31;

  it("are refused where they are no exact counts", () => {
    expect(sizeIn({ op: "mul", args: ["n", 0] }, { n: 5 })).toBe(0);
    for (const args of [
      [big, big, big],
      [big, big, big, 0],
      [0, big, big, big],
    ]) {
      expect(() => sizeIn({ op: "mul", args }, {})).toThrow("a size is an integer from 0 to 2^53 - 1");
    }
    expect(() => sizeIn("n", { n: 1.5 })).toThrow("got 1.5");
    expect(() => sizeIn(-1, {})).toThrow("got -1");
    expect(() => sizeIn("constructor", {})).toThrow("the size constructor has no value");
    expect(() => verify(withTensor("best", { shape: ["n", big, big] }))).toThrow("tensor best: a size is an integer");
    expect(() => verify(withTensor("best", { shape: [0, big, big] }))).toThrow("tensor best: a size is an integer");
  });

  it("have names of their own", () => {
    const named = (name: string): Program => ({
      ...programOf({ x: { lane: "i8", shape: [name] }, y: { lane: "i8", shape: [name] } }, [reshaped("x", "y")]),
      sizes: [{ name, least: 1, most: 4 }],
    });
    expect(() => verify(named("m"))).not.toThrow();
    for (const name of ["", "a*b", "constructor"]) {
      expect(() => verify(named(name))).toThrow(`"${name}" is no name`);
    }
    const twice = { ...WHOLE, sizes: [...WHOLE.sizes, ...WHOLE.sizes] };
    expect(() => verify(twice)).toThrow("size n is declared twice");
  });

  it("of many terms or a high degree are refused at once", () => {
    const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const sum: Size = { op: "add", args: names };
    const of = (size: Size, other: Size): Program => ({
      ...programOf(
        {
          ...Object.fromEntries(names.map((name) => [`in ${name}`, { lane: "i8", shape: [name] }])),
          x: { lane: "i8", shape: [size] },
          y: { lane: "i8", shape: [other] },
        },
        [reshaped("x", "y")],
      ),
      inputs: [...names.map((name) => `in ${name}`), "x"],
      sizes: names.map((name) => ({ name, least: 1, most: 4 })),
    });
    const start = performance.now();
    const power = (base: Size, degree: number): Size => ({ op: "mul", args: new Array(degree).fill(base) });
    for (const hostile of [power(sum, 5), power(power(sum, 2), 2), power("s0", 9)]) {
      expect(() => verify(of(hostile, "s0"))).toThrow("a size has more than 64 terms or a degree over 8");
    }
    expect(performance.now() - start).toBeLessThan(2000);
    expect(() => verify(of(power("s0", 8), power(power("s0", 4), 2)))).not.toThrow();
    expect(() => verify(of(sum, { op: "add", args: [...names].reverse() }))).not.toThrow();
  });

  it("of a move have names that are declared, and boxes are bounded", () => {
    const of = (part: Partial<Part>): Program =>
      programOf({ x: { lane: "i32", shape: ["n"] }, y: i32 }, [copied("x", "y", part)]);
    expect(() => verify(of({ box: ["m"] }))).toThrow("step 0 (move): the size m has no value");
    expect(() => verify(of({ read: { start: "m", strides: [1] } }))).toThrow("the size m has no value");
    const still = { start: 0, strides: [0, 0, 0] };
    expect(() => verify(of({ box: ["n", 2 ** 20, 2 ** 12], read: still, write: still }))).toThrow(
      "the part of x may have 171798691840 elements, at most are 2147483648",
    );
  });

  it("of rows that a kernel reduces are never 0; sums of no products are 0", () => {
    const of = (least: number): Program => ({
      ...programOf({ x: { lane: "i8", shape: [1, "n"] }, y: { lane: "i16", shape: [1, "n"] } }, [
        { op: "kernel", kernel: belowMaximum(), tile: [1, "n"], arguments: { x: "x" }, results: ["y"] },
      ]),
      sizes: [{ name: "n", least, most: 8 }],
    });
    expect(() => verify(of(1))).not.toThrow();
    expect(() => verify(of(0))).toThrow("the kernel reduces rows of [n], which may be none");
    const empty = programOf(
      {
        x: { lane: "i8", shape: [2, "n"] },
        weights: { lane: "i8", shape: [3, "n"] },
        y: { lane: "i32", shape: [2, 3] },
      },
      [{ op: "product", a: "x", b: "weights", isTransposed: true, kernel: plain(), arguments: {}, results: ["y"] }],
      { inputs: ["x", "weights"] },
    );
    verify(empty);
    const none = (rows: number) => ({ shape: [rows, 0], data: new Int8Array(0) });
    expect(interpret(empty, { x: none(2), weights: none(3) }).y?.data).toEqual(new Int32Array(6));
  });

  it("of counts fit the integers that count", () => {
    const most = { lane: "i32", shape: ["n", 2 ** 27] } as const;
    const of = (shape: readonly Size[]): Program =>
      programOf({ x: { lane: "i8", shape: ["n"] }, y: { ...most, shape } }, [{ op: "count", result: "y" }]);
    expect(() => verify(of(["n", 2 ** 20]))).not.toThrow();
    expect(() => verify(of(["n", 2 ** 27]))).toThrow("y may be from 0 to 5368709119, promised are -2147483648 to");
  });
});

describe("promises and quantizations", () => {
  it.each<readonly [Program, string]>([
    [withTensor("x", { range: [-129, 0] }), "tensor x: no range of i8: -129 to 0"],
    [withTensor("x", { range: [1, 0] }), "no range of i8: 1 to 0"],
    [withTensor("x", { range: [0, 1.5] }), "no range of i8: 0 to 1.5"],
    [withTensor("bias", { range: [0, 500] }), "tensor bias: holds -400 to 500, promised are 0 to 500"],
    [
      withTensor("x", { quantization: { scale: 1, zeroPoint: 2 ** 24 + 1 } }),
      "a zero point is an integer up to 16777216",
    ],
    [withTensor("x", { quantization: { scale: 1, zeroPoint: 0.5 } }), "in size, got 0.5"],
    [withTensor("x", { quantization: { scale: 0, zeroPoint: 0 } }), "scales are positive and finite"],
    [withTensor("x", { quantization: { scale: [1, 2], zeroPoint: 0 } }), "tensor x: 2 scales for the last axis"],
    [withTensor("best", { quantization: { scale: [1], zeroPoint: 0 } }), "tensor best: 1 scales for the last axis"],
    [
      programOf({ x: i32, y: i32, last: { ...i32, range: [1, 4] } }, [copied("x", "y")], { states: ["last"] }),
      "tensor last: a state is 0 at first, promised are 1 to 4",
    ],
  ])("are refused where they cannot be kept %#", (program, message) => {
    expect(() => verify(program)).toThrow(message);
  });

  it("are accepted where they can", () => {
    expect(() =>
      verify(withTensor("x", { quantization: { scale: new Array(12).fill(1), zeroPoint: 5 } })),
    ).not.toThrow();
  });
});

describe("names that objects have of their own", () => {
  it.each(["toString", "constructor", "__proto__"])("are refused: %s", (name) => {
    const tensors = { ...WHOLE.tensors, ...Object.fromEntries([[name, x]]) };
    Object.defineProperty(tensors, name, { value: x, enumerable: true, configurable: true, writable: true });
    expect(() => verify({ ...WHOLE, tensors })).toThrow(`tensor ${name}: ${name} is no name`);
    const outputs = Object.fromEntries([...Object.entries(WHOLE.outputs), [name, "best"]]);
    expect(() => verify({ ...WHOLE, outputs })).toThrow(`output ${name}: ${name} is no name`);
  });

  it("are not found where nothing is declared", () => {
    expect(() => verify({ ...WHOLE, inputs: ["x", "toString"] })).toThrow("tensor toString: is not declared");
    expect(() => verify({ ...WHOLE, outputs: { y: "toString" } })).toThrow("output y: toString is never written");
  });
});
