// Training in TensorFlow.js with the drop-in: gradients, their gradients and a model that learns, against TensorFlow.js's own.

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import "../../packages/lutra/src/adapt/tfjs.ts";
import { install, uninstall } from "../../packages/lutra/src/adapt/tfjs/registry.ts";
import { random } from "../../packages/lutra/src/num/index.ts";
import { FUNCTIONS, type FunctionName, inputs, NAMES } from "./tfjs.ts";

/** Of a gradient, where the derivative and dy are at most about 1. */
const TOLERANCE = 5e-6;

afterEach(install);

describe.each(["wasm", "cpu"])("on the %s backend", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  describe.each(NAMES)("%s", (name) => {
    const { op } = FUNCTIONS[name];

    it("has TensorFlow.js's gradient", () => {
      const [x, dy] = [inputsOf(name), seeded([2000], 4)];
      expectOwn(() => tf.grad(op)(x, dy), TOLERANCE);
    });
  });

  it("has TensorFlow.js's gradient of Softmax", () => {
    const [x, dy] = [seeded([20, 30], 5), seeded([20, 30], 6)];
    expectOwn(() => tf.grad((t: tf.Tensor) => tf.softmax(t))(x, dy), TOLERANCE);
  });

  it.each(["Erf", "Rsqrt", "Softplus"] as const)("has TensorFlow.js's second derivative of %s", (name) => {
    expectOwn(() => tf.grad((t) => tf.grad(FUNCTIONS[name].op)(t))(inputsOf(name)), TOLERANCE);
  });

  it("has the gradients of its gradients' formulas", () => {
    for (const [name, formula] of Object.entries(FORMULAS)) {
      const [dy, y, back] = [seeded([4, 30], 7), tf.sigmoid(seeded([4, 30], 8)), seeded([4, 30], 9)];
      const kernel = (...[dy, y]: tf.Tensor[]): tf.Tensor => tf.engine().runKernel(`Lutra${name}Grad`, { dy, y });
      const [found, expected] = [kernel, formula].map((f) => tf.grads(f)([dy, y], back));
      found.forEach((gradient, i) => void expectClose(gradient, expected[i], TOLERANCE));
    }
  });

  it("computes a gradient in one kernel", async () => {
    for (const name of ["Tanh", "Sigmoid", "Erf", "Rsqrt", "Softplus"] as const) {
      const { kernelNames } = await tf.profile(() =>
        tf.grad(FUNCTIONS[name].op)(tf.tensor1d([1, 2]), tf.tensor1d([1, 1])),
      );
      expect(kernelNames).toContain(`Lutra${name}Grad`);
    }
  });

  it("trains a model to the same loss", () => {
    const ours = train(STEPS);
    uninstall();
    const own = train(STEPS);
    expect(ours.losses[0]).toBeCloseTo(own.losses[0], 5);
    expect(own.losses[STEPS - 1]).toBeLessThan(own.losses[0] / 4);
    expect(Math.abs(ours.losses[STEPS - 1] / own.losses[STEPS - 1] - 1)).toBeLessThan(0.01);
    expect(ours.classes).toEqual(own.classes);
  });
});

/** Gradients in y = f(x). TensorFlow.js itself has no second derivative by way of what a function gave. */
const FORMULAS: Readonly<Record<string, (...inputs: tf.Tensor[]) => tf.Tensor>> = {
  Tanh: (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))),
  Sigmoid: (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))),
  Softmax: (dy, y) => tf.sub(tf.mul(dy, y), tf.mul(y, tf.sum(tf.mul(dy, y), -1, true))),
};

const STEPS = 200;
const SAMPLES = 96;

interface Trained {
  readonly losses: readonly number[];
  readonly classes: readonly number[];
}

/** Two turns of three spirals, learned by layers of tanh, elu, softplus and softmax. The same weights and order each time. */
function train(steps: number): Trained {
  return tf.tidy(() => {
    const angles = Array.from({ length: SAMPLES }, (_, i) => i / SAMPLES);
    const points = angles.map((t, i) => [t * Math.cos(4 * t + 2.1 * (i % 3)), t * Math.sin(4 * t + 2.1 * (i % 3))]);
    const x = tf.tensor2d(points);
    const labels = tf.oneHot(
      tf.tensor1d(
        angles.map((_, i) => i % 3),
        "int32",
      ),
      3,
    );
    const layers = [
      [2, 16],
      [16, 16],
      [16, 16],
      [16, 3],
    ].map(([from, to], i) => tf.variable(seeded([from, to], 20 + i, 1.5 / Math.sqrt(from))));
    const activations = [tf.tanh, tf.elu, tf.softplus, (t: tf.Tensor) => tf.softmax(t)];
    const model = (): tf.Tensor => activations.reduce<tf.Tensor>((h, f, i) => f(tf.matMul(h, layers[i])), x);
    const loss = (): tf.Scalar => tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.log(model())), 1)));
    const optimizer = tf.train.adam(0.02);
    const losses = Array.from({ length: steps }, () => {
      const value = optimizer.minimize(loss, true) as tf.Scalar;
      return value.dataSync()[0];
    });
    const classes = [...tf.argMax(model(), 1).dataSync()];
    tf.dispose(layers);
    return { losses, classes };
  });
}

function seeded(shape: number[], seed: number, scale = 1): tf.Tensor {
  const source = random(seed);
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * source.normal());
  return tf.tensor(values, shape);
}

function inputsOf(name: FunctionName): tf.Tensor {
  const values = inputs(2000).slice(-2000);
  return tf.tensor1d(name === "Rsqrt" ? values.map((v) => 0.2 + Math.abs(v)) : values);
}

/** What the drop-in computes is what TensorFlow.js does: within a share of its values, and as much of 1. */
function expectOwn(compute: () => tf.Tensor, tolerance: number): void {
  install();
  const found = compute();
  uninstall();
  const own = compute();
  install();
  expectClose(found, own, tolerance);
}

function expectClose(found: tf.Tensor, own: tf.Tensor, tolerance: number): void {
  expect(found.shape).toEqual(own.shape);
  const error = tf.div(tf.abs(tf.sub(found, own)), tf.maximum(1, tf.abs(own)));
  expect(tf.max(error).dataSync()[0]).toBeLessThan(tolerance);
}
