// Compiling models with recurrent operators and with If: the layers are inside bodies, some only once an operator is expanded.

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { type Compilation, type CompileOptions, compile } from "../../packages/lutra/src/compile.ts";
import type { Dataset } from "../../packages/lutra/src/data/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeShared, sharedPath } from "../shared.ts";

const SIXTEEN: CompileOptions = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 };

const tools = {
  openSession: (bytes: Uint8Array) => openSession(ort, bytes, { threads: 2 }),
  now: () => performance.now(),
};

/** On the first samples of the report split: quick, and enough to see a broken step. */
function run(model: string, dataset: Dataset, samples: number, options: Partial<CompileOptions> = {}) {
  const { report } = dataset.parts;
  const parts = { ...dataset.parts, report: { ...report, indices: report.indices.slice(0, samples) } };
  const bytes = readFileSync(sharedPath(`models/${model}.onnx`));
  return compile(readModel(bytes), { ...dataset, parts }, { ...SIXTEEN, ...options }, tools);
}

const countKinds = ({ sites }: Compilation): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of sites) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

function expectSmallLoss({ before, after, flips }: Compilation): void {
  expect(after.accuracy).toBeGreaterThanOrEqual((before.accuracy ?? 1) - 0.002);
  expect(after.nll).toBeLessThanOrEqual(1.005 * (before.nll ?? 0));
  expect(flips).toBeLessThanOrEqual(0.01);
}

describeShared("compile with 16 segments everywhere", () => {
  it("loses at most 0.2 points and 0.5 % of NLL on mnist_lstm (1,000 images)", async () => {
    const result = await run("mnist_lstm/mnist_lstm", await loadExample("mnist-lstm"), 1000);
    expect(countKinds(result)).toEqual({ sigmoid: 1, tanh: 2, softmax: 1 });
    expectSmallLoss(result);
  });

  it("loses at most 0.2 points and 0.5 % of NLL on g2pm_bilstm (300 sentences)", async () => {
    const result = await run("g2pm_bilstm/g2pm_bilstm", await loadExample("g2pm"), 300);
    expect(countKinds(result)).toEqual({ sigmoid: 2, tanh: 4 });
    expectSmallLoss(result);
  });

  it.each(["silero_vad", "silero_vad_16k_op15"])(
    "%s: at most one answer in a hundred flips (400 windows)",
    async (name) => {
      const result = await run(`silero_vad/${name}`, await loadExample("silero-vad"), 400);
      const twice = name === "silero_vad" ? 2 : 1;
      expect(countKinds(result)).toEqual({ sqrt: twice, sigmoid: 3 * twice, tanh: 4 * twice });
      expect(result.flips).toBeLessThanOrEqual(0.01);
    },
  );

  it("gives tables for the mean square where calibration cannot see the inputs, and flat models the same answers", async () => {
    const dataset = await loadExample("silero-vad");
    const [called, flat] = [
      await run("silero_vad/silero_vad", dataset, 100, { norm: "mse" }),
      await run("silero_vad/silero_vad", dataset, 100, { norm: "mse", flat: true }),
    ];
    expect(called.tables.find(({ name }) => name === "tanh-1")?.problem.norm).toBe("max");
    expect(flat.logitError).toEqual(called.logitError);
  });
});
