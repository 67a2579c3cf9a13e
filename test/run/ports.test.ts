// Numbers in and out of a program, by WebAssembly: the bits of program/numbers.ts, for every lane, length and list of scales.
import { describe, expect, it } from "vitest";
import { random } from "../../packages/lutra/src/num/index.ts";
import {
  decodeOutputs,
  encodeInputs,
  type Program,
  type Quantization,
  type TensorLane,
} from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import { programOf } from "../program/programs.ts";

const source = random(5);

/** Its output is its input: codes of a lane and what they stand for. */
function copy(
  lane: TensorLane,
  columns: number,
  quantization: Quantization,
  range?: readonly [number, number],
): Program {
  const type = { lane, shape: ["n", columns], quantization, ...(range === undefined ? {} : { range }) } as const;
  return programOf({ x: type, y: type }, [{ op: "reshape", input: "x", result: "y" }]);
}

/** Ordinary numbers, halves of codes, and some that every lane saturates. */
function numbers(length: number, scale: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const code = Math.floor(600 * source.uniform() - 300);
    return [code, code + 0.5, 1e6 * code, 1e30 * code, -0, Infinity, -Infinity, code / 3][i % 8] as number;
  }).map((x) => x * scale);
}

interface Case {
  readonly lane: TensorLane;
  readonly zeroPoint: number;
  readonly range?: readonly [number, number];
}

const LANES: readonly Case[] = [
  { lane: "i8", zeroPoint: -5 },
  { lane: "i8", zeroPoint: 0, range: [-63, 63] },
  { lane: "i16", zeroPoint: 0 },
  { lane: "i16", zeroPoint: 77, range: [-2048, 2047] },
  { lane: "u8", zeroPoint: 3 },
  { lane: "i32", zeroPoint: 0 },
];

describe("a program on numbers", () => {
  it.each(LANES)(
    "of $lane with zero point $zeroPoint gives what the definition does",
    async ({ lane, zeroPoint, range }) => {
      for (const columns of [1, 5, 16, 40]) {
        for (const scale of [0.1, Array.from({ length: columns }, (_, i) => 0.01 * (i + 1))]) {
          const program = copy(lane, columns, { scale, zeroPoint }, range);
          const loaded = openProgram(program, { form: "simd" });
          for (const rows of [1, 3, 16, 37]) {
            const x = { shape: [rows, columns], data: numbers(rows * columns, 0.1) };
            const codes = encodeInputs(program, { x });
            const note = `${rows} x ${columns}`;
            expect(await loaded.run({ x }), note).toEqual(decodeOutputs(program, { y: codes.x as typeof x }));
          }
        }
      }
    },
  );

  it("refuses NaN wherever it is, and runs on", async () => {
    const loaded = openProgram(copy("i8", 1, { scale: 1, zeroPoint: 0 }), { form: "simd" });
    for (const at of [0, 17, 31, 35]) {
      const data = new Float32Array(36);
      data[at] = Number.NaN;
      await expect(loaded.run({ x: { shape: [36, 1], data } })).rejects.toThrow("the input x holds NaN");
    }
    const { y } = await loaded.run({ x: { shape: [36, 1], data: new Float32Array(36).fill(2) } });
    expect(y?.data).toEqual(new Float32Array(36).fill(2));
  });

  it("keeps inputs and outputs apart where one tensor is both", async () => {
    const type = { lane: "i8", shape: ["n"], quantization: { scale: 0.5, zeroPoint: 0 } } as const;
    const program: Program = {
      ...programOf({ x: type, z: type, y: type }, [{ op: "reshape", input: "z", result: "y" }]),
      ...{ inputs: ["z", "x"], outputs: { y: "y", x: "x" } },
    };
    const given = {
      z: { shape: [40], data: new Float32Array(40).fill(5) },
      x: { shape: [40], data: Float32Array.from({ length: 40 }, (_, i) => i / 2) },
    };
    const found = await openProgram(program, { form: "simd" }).run(given);
    expect(found).toEqual({ y: given.z, x: given.x });
  });

  it("takes numbers of other arrays", async () => {
    const loaded = openProgram(copy("i8", 1, { scale: 0.5, zeroPoint: 0 }), { form: "simd" });
    const counted = Array.from({ length: 20 }, (_, i) => i);
    for (const data of [Float64Array.from(counted), Int32Array.from(counted)]) {
      const { y } = await loaded.run({ x: { shape: [20, 1], data } });
      expect(y?.data).toEqual(Float32Array.from({ length: 20 }, (_, i) => i));
    }
  });
});
