// Integer algorithms inside a float graph: onnxruntime answers as interpret() does, bit for bit.
import { describe, expect, it } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { interpret, type Kernel, KernelBuilder, verify } from "../../packages/lutra/src/kernel/index.ts";
import {
  cordic,
  hGelu,
  iErfFloat,
  iExp,
  iExpFloat,
  iGelu,
  iGeluFloat,
  iLayerNorm,
  iSoftmax,
  iSqrt,
  onFloats,
  softermax,
} from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, integerFormat, parseFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Rounding } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { runFunction } from "./run-function.ts";

const ROWS = 40;
const COLUMNS = 64;
const OPSET = 17;

const KERNELS: Readonly<Record<string, Kernel>> = {
  "i-GELU in binary32": iGeluFloat(),
  "i-erf in binary32": iErfFloat(),
  "i-exp in binary32": iExpFloat(),
  "h-GELU": hGelu(),
  "i-GELU, s8.5": onFloats(iGelu(parseFormat("s8.5"))),
  "i-GELU, s16.10": onFloats(iGelu(parseFormat("s16.10"))),
  "i-exp, s16.8": onFloats(iExp(parseFormat("s16.8"))),
  "i-sqrt, u16.8": onFloats(iSqrt(parseFormat("u16.8"))),
  "i-Softmax, s16.8": onFloats(iSoftmax(parseFormat("s16.8"), { maxRow: COLUMNS })),
  "i-LayerNorm, s16.10": onFloats(iLayerNorm(parseFormat("s16.10"), { columns: COLUMNS, bias: false })),
  softermax: onFloats(softermax(COLUMNS)),
  "CORDIC exp": onFloats(cordic("exp", parseFormat("s16.11"), { iterations: 12, output: parseFormat("u32.13") })),
  "CORDIC 1/x": onFloats(
    cordic("reciprocal", parseFormat("s16.10"), { iterations: 12, output: parseFormat("u32.20") }),
  ),
};

async function expectSame(kernel: Kernel, x: Float32Array): Promise<void> {
  verify(kernel);
  const shape = [x.length / COLUMNS, COLUMNS];
  const answers = await runFunction(emit(kernel, { axes: [-1], opset: OPSET }), [{ data: x, shape }], OPSET);
  const meant = interpret(kernel, { x }, shape[0] as number, COLUMNS)[0] as Float64Array;
  const wrong = [...answers].flatMap((y, i) =>
    Object.is(y + 0, (meant[i] as number) + 0) ? [] : [[x[i], y, meant[i]]],
  );
  expect(wrong.slice(0, 5)).toEqual([]);
}

describe("in onnxruntime as interpreted:", () => {
  for (const [name, kernel] of Object.entries(KERNELS)) {
    it(name, async () => {
      const source = random(77);
      const x = Float32Array.from({ length: ROWS * COLUMNS }, () => 3 * source.normal());
      x.set([0, 1e30, -1e30, 0.5, -0.5]);
      await expectSame(kernel, x);
    });
  }

  for (const rounding of ["floor", "half-up", "half-even"] as const satisfies readonly Rounding[]) {
    it(`casts, quotients, shifts, bit lengths and means, ${rounding}`, async () => {
      const build = new KernelBuilder();
      const code = build.cast(build.param("x", "element"), "i16", rounding);
      const wide = build.cast(code, "i64");
      const size = build.binary("max", wide, build.binary("sub", build.integer(0, "i64"), wide));
      const by = build.binary("min", build.bits(size), build.integer(5));
      const parts = [
        build.shiftRight(wide, by, rounding),
        build.divide(wide, build.integer(6, "i64"), rounding),
        build.shiftLeft(wide, build.integer(3)),
        build.cast(build.cast(wide, "i8"), "i64"),
        build.reduce("mean", wide, rounding),
        build.cast(by, "i64"),
      ];
      const sum = parts.reduce((all, part) => build.binary("add", all, part));
      const result = build.binary(
        "div",
        build.cast(sum, "f32"),
        build.cast(build.binary("add", by, build.integer(1)), "f32"),
      );
      const spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: BINARY32, output: BINARY32, maxRow: COLUMNS };
      const source = random(78);
      const x = Float32Array.from({ length: ROWS * COLUMNS }, () => Math.round(80 * source.normal()) / 4);
      x.set([Number.NaN, Infinity, -Infinity, 32767.5, -32768.5, 0.5, 1.5, -0.5]);
      await expectSame(build.finish(spec, result), x);
    });
  }
});

describe("onFloats", () => {
  it("rounds to the nearest code and saturates", () => {
    const kernel = onFloats(iGelu(parseFormat("s8.4"), { erfShift: "corrected" }));
    const [found] = interpret(kernel, { x: [1, 1.03, 100, 7.9375, Number.NaN] }, 1, 5) as [Float64Array];
    expect(found[0]).toBe(found[1]);
    expect(found[2]).toBe(found[3]);
    expect(found[0]).toBeCloseTo(parseFn("gelu").evaluate(1), 1);
    expect(found[4]).toBe(0);
  });

  it("refuses zero points", () => {
    const kernel = iGelu(parseFormat("s8.4"));
    const spec = { ...kernel.spec, input: integerFormat(true, 8, 0.1, 2) };
    expect(() => onFloats({ ...kernel, spec })).toThrow(/zero point 0/);
  });
});
