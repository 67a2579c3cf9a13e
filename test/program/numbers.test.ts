// Numbers to codes and back: rounded half up, saturated, by one scale or one for each column, NaN refused.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeCodes,
  encodeInputs,
  encodeNumbers,
  type Program,
  type TensorType,
} from "../../packages/lutra/src/program/index.ts";
import { failure } from "../data/errors.ts";

const BYTE: TensorType = { lane: "i8", shape: ["n"], quantization: { scale: 0.5, zeroPoint: 3 } };
const COLUMNS: TensorType = {
  lane: "i16",
  shape: ["n", 2],
  range: [-2048, 2047],
  quantization: { scale: [1, 0.25], zeroPoint: 0 },
};
const IDS: TensorType = { lane: "i32", shape: ["n"], range: [0, 99] };

const program = (type: TensorType): Program => ({
  sizes: [{ name: "n", least: 1, most: 8 }],
  tensors: { x: type },
  constants: {},
  inputs: ["x"],
  outputs: { y: "x" },
  states: [],
  blocks: [],
});

describe("encodeNumbers", () => {
  it("rounds half up, also below zero, and adds the zero point", () => {
    const codes = encodeNumbers(Float32Array.of(0, 0.25, 0.249, -0.25, -0.26, 1), BYTE);
    expect([...codes]).toEqual([3, 4, 3, 3, 2, 5]);
  });

  it("saturates at the lane, or at the range that is narrower", () => {
    expect([...encodeNumbers(Float32Array.of(1e9, -1e9, Infinity, -Infinity), BYTE)]).toEqual([127, -128, 127, -128]);
    expect([...encodeNumbers(Float32Array.of(1e9, -1e9), COLUMNS)]).toEqual([2047, -2048]);
  });

  it("has a scale for each column", () => {
    expect([...encodeNumbers(Float64Array.of(1, 1, 2, 2), COLUMNS)]).toEqual([1, 4, 2, 8]);
  });

  it("refuses NaN, and integers that the tensor does not hold", async () => {
    expect(
      await failure(() => encodeNumbers(Float32Array.of(0, Number.NaN), BYTE, new Int8Array(2), "x")),
    ).toMatchObject({
      code: "bad-data",
      message: "the input x holds NaN",
    });
    for (const wrong of [100, -1, 0.5]) {
      expect((await failure(() => encodeNumbers(Float64Array.of(wrong), IDS, new Int32Array(1), "ids"))).message).toBe(
        `the input ids holds integers from 0 to 99, got ${wrong}`,
      );
    }
  });

  it("takes integers of any array where there is no quantization", () => {
    expect([...encodeNumbers(BigInt64Array.of(7n, 99n), IDS)]).toEqual([7, 99]);
  });

  it("is at most half a scale off where nothing saturates, and monotone", () => {
    fc.assert(
      fc.property(
        fc.float({ min: -60, max: 60, noNaN: true }),
        fc.float({ min: -60, max: 60, noNaN: true }),
        (a, b) => {
          const codes = encodeNumbers(Float32Array.of(a, b), BYTE);
          const back = decodeCodes(codes, { scale: 0.5, zeroPoint: 3 });
          expect(Math.abs((back[0] as number) - a)).toBeLessThanOrEqual(0.25);
          if (a <= b) expect(codes[0]).toBeLessThanOrEqual(codes[1] as number);
        },
      ),
    );
  });
});

describe("encodeInputs", () => {
  it("leaves out what the program does not read", () => {
    const x = { shape: [2], data: Float32Array.of(1, 2) };
    expect(encodeInputs(program(BYTE), { x, mask: x })).toEqual({ x: { shape: [2], data: Int8Array.of(5, 7) } });
  });

  it("names an input that is missing, or of another width than its scales", async () => {
    expect((await failure(() => encodeInputs(program(BYTE), {}))).message).toBe("the input x is missing");
    const x = { shape: [1, 3], data: Float32Array.of(1, 2, 3) };
    expect((await failure(() => encodeInputs(program(COLUMNS), { x }))).message).toMatch(/has 2 places, got \[1,3\]/);
    const short = { shape: [4], data: Float32Array.of(1, 2, 3) };
    expect((await failure(() => encodeInputs(program(BYTE), { x: short }))).message).toMatch(/3 numbers for \[4\]/);
  });
});

it("decodeCodes gives binary32, by column where scales differ", () => {
  expect(decodeCodes(Int16Array.of(1, 4, -2, 8), { scale: [1, 0.25], zeroPoint: 0 })).toEqual(
    Float32Array.of(1, 1, -2, 2),
  );
  expect(decodeCodes(Int32Array.of(1), { scale: 0.1, zeroPoint: 0 })[0]).toBe(Math.fround(0.1));
});
