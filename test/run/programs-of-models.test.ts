// Every Transformer at hand as an integer program in WebAssembly: each tensor of each step has the interpreter's bits, with SIMD and relaxed SIMD,
// and no instruction of its module computes on floats.

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { finish, type Tensor } from "../../packages/lutra/src/base/index.ts";
import { batches, type Dataset, fitDataset } from "../../packages/lutra/src/data/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { declaredInputs, quantizer, type Scheme } from "../../packages/lutra/src/model/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";
import { encodeInputs, interpret, type Program, readProgram } from "../../packages/lutra/src/program/index.ts";
import { programFile } from "../../packages/lutra/src/program-file.ts";
import { load } from "../../packages/lutra/src/run/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";
import { emitProgram } from "../../packages/lutra/src/target/wasm/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";
import { floatInstructions } from "../target/wasm/instructions.ts";

withoutBaselineCompiler();

/** Of all schemes the one with most kinds of products: bytes, and codes of up to 12 bits. */
function schemeOf(attentions: readonly string[]): Scheme {
  return { ranges: "mse", migration: 0, inputBits: 12, gateBits: 12, wide: new Set(attentions.slice(0, 1)) };
}

const SAMPLES = { calibration: 8, report: 2 };

function thinned(dataset: Dataset): Dataset {
  const { calibration, report, ...rest } = dataset.parts;
  const first = ({ samples, indices }: typeof report, count: number): typeof report => ({
    samples,
    indices: indices.slice(0, count),
  });
  const parts = {
    ...rest,
    calibration: first(calibration, SAMPLES.calibration),
    report: first(report, SAMPLES.report),
  };
  return { ...dataset, parts };
}

const tables = new Map<string, Table>();

function direct(spec: Spec): Table {
  const key = JSON.stringify(spec);
  const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  const table = tables.get(key) ?? finish(solve(problem, "direct", { seed: 1 })).table;
  tables.set(key, table);
  return table;
}

async function programOf(path: string, data: string): Promise<{ program: Program; dataset: Dataset }> {
  const model = readModel(readFileSync(sharedPath(`models/${path}`)));
  const dataset = thinned(fitDataset(await loadExample(data), declaredInputs(model)));
  const ready = quantizer(model, { table: direct, allowFloat: false });
  const calibrated = await ready.calibrate(dataset, (bytes) => openSession(ort, bytes, { threads: 2 }));
  return { program: calibrated.quantize(schemeOf(ready.choosable.attentions)).program, dataset };
}

describeShared("the integer program of a model", () => {
  it.each([
    ["kwt1/kwt1_mfcc.onnx", "speech-commands"],
    ["kwt1/kwt1_mfcc_decomposed.onnx", "speech-commands"],
    ["vit_mnist/vit_mnist.onnx", "vit-mnist"],
    ["sst2_bert_tiny/sst2_bert_tiny.onnx", "sst2"],
    ["gpt_nano_sort/gpt_nano_sort.onnx", "sorted-digits"],
    ["rxnmapper_albert/rxnmapper_albert_op17.onnx", "rxnmapper"],
    ["stories260k/stories260k.onnx", "stories260k"],
  ])("%s has the interpreter's bits in WebAssembly", { timeout: 240_000 }, async (path, data) => {
    const { program, dataset } = await programOf(path, data);
    const file = programFile(program);
    expect(readProgram(file)).toEqual(program);
    const [batch] = [...batches(dataset, "report", { size: 2, pad: true })];
    const inputs = encodeInputs(program, (batch as NonNullable<typeof batch>).inputs);
    const wanted: [string, Tensor][] = [];
    const outputs = interpret(program, inputs, { observe: (name, tensor) => wanted.push([name, tensor]) });
    for (const form of FAMILIES) {
      const loaded = await load(file, { form });
      let at = 0;
      const found = loaded.runCodes(inputs, {
        observe: (name, { shape, data: codes }) => {
          const [expected, tensor] = wanted[at++] as [string, Tensor];
          expect(name).toBe(expected);
          expect(shape).toEqual(tensor.shape);
          // One number at a time, toEqual takes seconds for a million.
          const where = (codes as Int32Array).findIndex((code, i) => code !== tensor.data[i]);
          expect({ name, where }).toEqual({ name, where: -1 });
        },
      });
      expect(at).toBe(wanted.length);
      expect(found).toEqual(outputs);
      expect(floatInstructions(emitProgram(program, form).bytes)).toEqual([]);
    }
  });
});
