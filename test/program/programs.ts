// Small programs that the tests of program/ share.
import { type Kernel, KernelBuilder } from "../../packages/lutra/src/kernel/index.ts";
import { integerFormat } from "../../packages/lutra/src/num/index.ts";
import type { Program, Step, TensorType } from "../../packages/lutra/src/program/index.ts";

const SPEC = {
  fn: "x",
  domain: { lo: -1, hi: 1 },
  input: integerFormat(true, 32, 1),
  output: integerFormat(true, 8, 1),
} as const;

/** clamp((acc + bias) >> shift) to i8. */
export function epilogue(shift: number): Kernel {
  const build = new KernelBuilder();
  const acc = build.param("sums", "element", "i32", [-(2 ** 30), 2 ** 30]);
  const sum = build.binary("add", acc, build.param("bias", "column", "i32", [-(2 ** 20), 2 ** 20]));
  return build.finish(SPEC, build.cast(build.shiftRight(sum, build.integer(shift), "half-up"), "i8"));
}

/** Only the sums themselves. */
export function plain(): Kernel {
  const build = new KernelBuilder();
  return build.finish(
    SPEC,
    build.binary("add", build.param("sums", "element", "i32", [-(2 ** 30), 2 ** 30]), build.integer(0)),
  );
}

/** x - max of the row, in i16. */
export function belowMaximum(): Kernel {
  const build = new KernelBuilder();
  const x = build.cast(build.param("x", "element", "i8"), "i16");
  return build.finish({ ...SPEC, maxRow: 64 }, build.binary("sub", x, build.reduce("max", x)));
}

/** A program of one block, its tensors besides. */
export function programOf(
  tensors: Readonly<Record<string, TensorType>>,
  steps: readonly Step[],
  rest: Partial<Program> = {},
): Program {
  return {
    sizes: JSON.stringify(tensors).includes('"n"') ? [{ name: "n", least: 0, most: 40 }] : [],
    tensors,
    constants: {},
    inputs: ["x"],
    outputs: { y: "y" },
    states: [],
    blocks: [{ name: "all", steps }],
    ...rest,
  };
}

/** A linear layer with a rectangle of weights, and the distance of each class from the best. */
export function classifier(): Program {
  const weights = Int8Array.from({ length: 12 * 5 }, (_, i) => ((i * 37) % 127) - 63);
  return programOf(
    {
      x: { lane: "i8", shape: ["n", 12], quantization: { scale: 0.1, zeroPoint: 3 } },
      weights: { lane: "i8", shape: [12, 5] },
      bias: { lane: "i32", shape: [5] },
      logits: { lane: "i8", shape: ["n", 5] },
      below: { lane: "i16", shape: ["n", 5] },
      best: { lane: "i32", shape: ["n"] },
    },
    [
      {
        op: "product",
        ...{ a: "x", b: "weights", isTransposed: false },
        ...{ kernel: epilogue(9), arguments: { bias: "bias" }, results: ["logits"] },
      },
      { op: "kernel", kernel: belowMaximum(), tile: ["n", 5], arguments: { x: "logits" }, results: ["below"] },
      { op: "argmax", input: "logits", result: "best" },
    ],
    {
      constants: { weights, bias: Int32Array.of(100, -200, 300, -400, 500) },
      outputs: { below: "below", best: "best" },
    },
  );
}
