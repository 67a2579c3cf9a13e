// TensorFlow.js with the drop-in: its operations on both backends, against the exact functions and against TensorFlow.js's own.

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { kernelOf } from "../../packages/lutra/src/adapt/tfjs/kernels.ts";
import { install, uninstall } from "../../packages/lutra/src/adapt/tfjs/registry.ts";
import { BOUNDS } from "../../packages/lutra/src/adapt/tfjs.ts";
import { softmax as exactSoftmax } from "../../packages/lutra/src/fn/index.ts";
import { interpret } from "../../packages/lutra/src/kernel/index.ts";
import { MIN_NORMAL_BINARY32, random } from "../../packages/lutra/src/num/index.ts";
import { answers, FUNCTIONS, type FunctionName, inputs, NAMES } from "./tfjs.ts";

const SPECIAL = Float32Array.of(0, Infinity, -Infinity, Number.NaN, 1000, -1000, 3e38, -3e38, 2 ** -149, -(2 ** -149));
/** Of the stated bounds' inputs: exp and rsqrt answer beyond theirs too, with 0, infinity or what is not a normal number. */
const INSIDE: Readonly<Partial<Record<FunctionName, (x: number) => boolean>>> = {
  Exp: (x) => -87.33 <= x && x <= 88.72,
  Rsqrt: (x) => x >= MIN_NORMAL_BINARY32,
};

afterEach(install);

describe.each(["wasm", "cpu"])("on the %s backend", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  describe.each(NAMES)("%s", (name) => {
    const { op, exact } = FUNCTIONS[name];

    it("keeps its bound at all bfloat16 values and 100,000 seeded ones", () => {
      const values = inputs(100_000).filter((x) => Number.isFinite(x) && (INSIDE[name] ?? (() => true))(x));
      const found = answers(op, values);
      const { upper, measure, floor = MIN_NORMAL_BINARY32 } = BOUNDS[name];
      let worst = 0;
      values.forEach((x, i) => {
        const y = exact.evaluate(x);
        const size = measure === "absolute" ? 1 : Math.max(Math.abs(y), floor);
        worst = Math.max(worst, Math.abs(found[i] - y) / size);
      });
      expect(worst).toBeLessThanOrEqual(upper);
      expect(worst).toBeGreaterThan(upper / 3);
    });

    it("has the bits of interpret, wherever its input is", () => {
      const values = inputs(20_000);
      const expected = interpret(kernelOf(name), { x: Float64Array.from(values) }, values.length, 1)[0];
      expect(answers(op, values)).toEqual(Float32Array.from(expected));
    });

    it("answers TensorFlow.js's values at infinities, NaN and the ends of the range", () => {
      const found = answers(op, SPECIAL);
      uninstall();
      const own = answers(op, SPECIAL);
      SPECIAL.forEach((x, i) => {
        const isNear = Math.abs(found[i] - own[i]) <= 2e-6 * Math.max(1, Math.abs(own[i]));
        if (!isNear) expect(found[i], `at ${x}`).toBe(own[i]);
      });
    });

    it("keeps shapes: scalars, empty tensors, four dimensions", () => {
      for (const shape of [[], [0], [2, 0, 3], [1], [2, 3, 4, 5]]) {
        const x = tf.fill(shape, 0.5);
        const y = op(x);
        expect(y.shape).toEqual(shape);
        expect(y.dtype).toBe("float32");
        for (const value of y.dataSync()) expect(value).toBeCloseTo(exact.evaluate(0.5), 5);
      }
    });
  });

  describe("Softmax", () => {
    it("keeps its bound on seeded rows of 1 to 1,024 values", () => {
      const source = random(12);
      for (const columns of [1, 3, 10, 64, 100, 1024, 7]) {
        const rows = Array.from({ length: 20 }, () => Array.from({ length: columns }, () => 5 * source.normal()));
        const found = tf.tidy(() => tf.softmax(tf.tensor2d(rows)).arraySync());
        const errors = rows.flatMap((row, i) => {
          const exact = exactSoftmax(row.map(Math.fround));
          return found[i].map((p, j) => Math.abs(p - exact[j]));
        });
        expect(Math.max(...errors)).toBeLessThan(BOUNDS.Softmax.upper / 50);
      }
    });

    it("gives masked positions exactly 0, and NaN where TensorFlow.js does", () => {
      const rows = [
        [1, Number.NEGATIVE_INFINITY, 0],
        [Number.NaN, 1, 2],
        [-Infinity, -Infinity, -Infinity],
        [Infinity, 0, 1],
      ];
      const found = tf.tidy(() => tf.softmax(tf.tensor2d(rows)).arraySync());
      expect(found[0][1]).toBe(0);
      expect(found[0][0]).toBeCloseTo(0.7310586, 6);
      expect(found.slice(1).flat()).toEqual(Array(9).fill(Number.NaN));
    });

    it("keeps shapes: one row, no rows, rows of three dimensions", () => {
      for (const shape of [[5], [0, 4], [2, 3, 4], [1, 1]]) {
        const p = tf.softmax(tf.ones(shape));
        expect(p.shape).toEqual(shape);
        for (const value of p.dataSync()) expect(value).toBeCloseTo(1 / (shape.at(-1) ?? 1), 6);
      }
    });
  });

  it("leaves the exp and softplus of integers to TensorFlow.js", () => {
    for (const op of [tf.exp, tf.softplus]) {
      const ask = (): tf.Tensor => op(tf.tensor1d([1, 2, 0], "int32"));
      const found = ask();
      uninstall();
      const own = ask();
      install();
      expect(found.dtype).toBe(own.dtype);
      expect(found.arraySync()).toEqual(own.arraySync());
    }
  });
});
