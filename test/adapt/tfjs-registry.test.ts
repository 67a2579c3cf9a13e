// The drop-in imported before TensorFlow.js's backends: it takes the place of their kernels when a backend is chosen, and gives it back.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelFunction } from "../../packages/lutra/src/adapt/tfjs/compute.ts";
import { install, uninstall } from "../../packages/lutra/src/adapt/tfjs.ts";
import { ROOT } from "../shared.ts";

const BACKENDS = ["wasm", "cpu"] as const;
const NAMES = ["Tanh", "Sigmoid", "Exp", "Erf", "Rsqrt", "Elu", "EluGrad", "Softplus", "Softmax"];

/** Every kernel of the names on a backend. */
function registered(backend: string): readonly (tf.KernelConfig | undefined)[] {
  return NAMES.map((name) => tf.getKernel(name, backend));
}

describe("imported where there is no TensorFlow.js", () => {
  it("fails, naming the package that is missing", () => {
    const folder = mkdtempSync(join(tmpdir(), "lutra-tfjs-"));
    cpSync(join(ROOT, "packages/lutra/dist"), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "adapt/tfjs.js")], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(status).toBe(1);
    expect(stderr).toContain("Cannot find package '@tensorflow/tfjs-core' imported from");
  });
});

describe("imported before the backends", () => {
  const own = new Map<string, readonly (tf.KernelConfig | undefined)[]>();
  let tanhGradient: tf.GradConfig;

  beforeAll(async () => {
    expect(BACKENDS.flatMap((backend) => registered(backend))).toEqual(Array(18).fill(undefined));
    await import("@tensorflow/tfjs-backend-wasm");
    await import("@tensorflow/tfjs-backend-cpu");
    for (const backend of BACKENDS) own.set(backend, registered(backend));
    await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
    tanhGradient = tf.getGradient("Tanh");
  });
  afterAll(install);

  it("leaves a backend alone until it is chosen", () => {
    expect(tf.getBackend()).not.toBe("wasm");
    expect(own.get("wasm")).not.toContain(undefined);
  });

  it.each(BACKENDS)("replaces the kernels of %s when it is chosen", async (backend) => {
    await tf.setBackend(backend);
    registered(backend).forEach((kernel, i) => {
      expect(kernel?.kernelFunc).not.toBe(own.get(backend)?.[i]?.kernelFunc);
    });
    expect(tf.getGradient("Tanh")).not.toBe(tanhGradient);
    expect(tf.tanh(0.6406243443489075).dataSync()[0]).not.toBe(Math.fround(Math.tanh(0.6406243443489075)));
  });

  it("gives everything back by uninstall, and takes it again by install", () => {
    const ours = registered("wasm");
    uninstall();
    for (const backend of BACKENDS) {
      expect(registered(backend)).toEqual(own.get(backend));
      registered(backend).forEach((kernel, i) => void expect(kernel).toBe(own.get(backend)?.[i]));
      expect(tf.getKernel("LutraTanhGrad", backend)).toBeUndefined();
    }
    expect(tf.getGradient("Tanh")).toBe(tanhGradient);
    expect(tf.getGradient("LutraTanhGrad")).toBeUndefined();
    uninstall();
    install();
    install();
    expect(registered("wasm").map((kernel) => kernel?.kernelName)).toEqual(ours.map((kernel) => kernel?.kernelName));
    for (const [i, kernel] of registered("wasm").entries()) expect(kernel).not.toBe(own.get("wasm")?.[i]);
  });

  it("leaves a gradient that somebody registered since, and takes its own of its own kernels away", () => {
    const theirs = { ...tanhGradient };
    tf.unregisterGradient("Tanh");
    tf.registerGradient(theirs);
    uninstall();
    expect(tf.getGradient("Tanh")).toBe(theirs);
    expect(tf.getGradient("LutraTanhGrad")).toBeUndefined();
    tf.unregisterGradient("Tanh");
    tf.registerGradient(tanhGradient);
    install();
    const second = { ...tf.getGradient("LutraTanhGrad") };
    tf.unregisterGradient("LutraTanhGrad");
    tf.registerGradient(second);
    uninstall();
    expect(tf.getGradient("LutraTanhGrad")).toBe(second);
    tf.unregisterGradient("LutraTanhGrad");
    install();
  });

  it.each(BACKENDS)("keeps no output of a run that fails on %s", async (backend) => {
    await tf.setBackend(backend);
    const [dy, y] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 2])];
    const fail = (): unknown => tf.engine().runKernel("LutraTanhGrad", { dy, y });
    expect(fail).toThrow("has 2 values, 3 elements have 3");
    const before = tf.backend().numDataIds();
    expect(fail).toThrow();
    expect(tf.backend().numDataIds()).toBe(before);
    tf.dispose([dy, y]);
  });

  it("gives its region back where the kernel cannot be loaded into it", () => {
    const freed: number[] = [];
    const wasmMemory = new WebAssembly.Memory({ initial: 1 });
    const wasm = { wasmMemory, _malloc: () => 65_536, _free: (address: number) => void freed.push(address) };
    const inputs = { x: { dtype: "float32", shape: [2], dataId: {} } };
    const kernelFunc = kernelFunction("Tanh", "wasm");
    expect(() => kernelFunc({ inputs, backend: { wasm }, attrs: {} } as never)).toThrow("is outside the memory");
    expect(freed).toEqual([65_536]);
  });

  it("works on where TensorFlow.js's memory has grown, and the tensors in it moved", async () => {
    await tf.setBackend("wasm");
    const few = tf.tanh(tf.tensor1d([0.5]));
    const many = tf.fill([20_000_000], 0.5);
    const found = tf.tanh(many);
    expect(tf.max(tf.abs(tf.sub(found, few))).dataSync()[0]).toBe(0);
    expect(tf.tanh(tf.tensor1d([0.5])).dataSync()[0]).toBe(few.dataSync()[0]);
    tf.dispose([few, many, found]);
  });

  it("leaves other backends' gradients alone", async () => {
    uninstall();
    tf.copyRegisteredKernels("cpu", "other");
    install();
    tf.registerBackend("other", () => (tf.findBackendFactory("cpu") as () => tf.KernelBackend)());
    await tf.setBackend("other");
    const { kernelNames } = await tf.profile(() => tf.grad(tf.tanh)(tf.tensor1d([1]), tf.tensor1d([1])));
    expect(kernelNames).not.toContain("LutraTanhGrad");
    await tf.setBackend("cpu");
    tf.removeBackend("other");
  });
});
