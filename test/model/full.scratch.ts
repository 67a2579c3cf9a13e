import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { fitDataset, loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { compareScores, score } from "../../packages/lutra/src/model/score.ts";

const runs = [
  ["speech-commands", "kwt1/kwt1_mfcc.onnx"],
  ["speech-commands", "kwt1/kwt1_mfcc_decomposed.onnx"],
  ["sst2", "sst2_bert_tiny/sst2_bert_tiny.onnx"],
  ["stories260k", "stories260k/stories260k.onnx"],
  ["vit-mnist", "vit_mnist/vit_mnist.onnx"],
  ["rxnmapper", "rxnmapper_albert/rxnmapper_albert_op17.onnx"],
].filter(([, m]) => !process.env.ONLY || m.includes(process.env.ONLY));
for (const [d, m] of runs)
  it(d + m, async () => {
    const file = resolve("examples/datasets", d + ".json");
    const t = Date.now();
    const ds = await loadDataset(parseDescription(readFileSync(file), file), async (p) =>
      readFileSync(resolve(dirname(file), p)),
    );
    const t1 = Date.now();
    const s = await openSession(ort, resolve("../shared/models", m), { threads: 2 });
    const fitted = fitDataset(ds, s.inputs);
    const a = await score(s, fitted, "all", {}, { batchSize: 16 });
    const t2 = Date.now();
    console.log(
      m,
      JSON.stringify({ load: t1 - t, run: t2 - t1, metrics: a.metrics, rows: a.rows, layouts: fitted.layouts }),
    );
    const b = await score(s, fitted, "report", {}, { batchSize: 5 });
    const c = await score(s, fitted, "report", {}, { batchSize: 1 });
    console.log(JSON.stringify({ t: Date.now() - t2, report: b.metrics, samples: b.samples, vs: compareScores(b, c) }));
  });
