import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { batches, fitDataset, loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { layerFor } from "../../packages/lutra/src/layer/index.ts";
import { calibrate, declaredInputs } from "../../packages/lutra/src/model/index.ts";
import { massBetween } from "../../packages/lutra/src/num/index.ts";
import { findSites, readModel } from "../../packages/lutra/src/onnx/index.ts";

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
    const ds = await loadDataset(parseDescription(readFileSync(file), file), async (p) =>
      readFileSync(resolve(dirname(file), p)),
    );
    const model = readModel(readFileSync(resolve("../shared/models", m)));
    const fitted = fitDataset(ds, declaredInputs(model));
    const sites = findSites(model);
    const kernels = Object.fromEntries(
      sites.map((s) => [
        s.id,
        layerFor({
          kind: s.kind,
          inputCount: s.inputs.length,
          epsilon: s.attributes.epsilon,
          maxRow: 4096,
          domain: { lo: -Infinity, hi: Infinity },
        } as any),
      ]),
    );
    const t = Date.now();
    let last: any;
    const c = await calibrate(model, sites, kernels, fitted, (b) => openSession(ort, b, { threads: 2 }), {
      onProgress: (p) => {
        last = p;
      },
    });
    console.log(
      m,
      "ms",
      Date.now() - t,
      "sites",
      sites.length,
      JSON.stringify(last),
      "rss",
      process.memoryUsage().rss / 1e6,
      process.resourceUsage().maxRSS / 1e3,
    );
    const seen = new Set();
    for (const s of sites) {
      if (seen.has(s.kind)) continue;
      seen.add(s.kind);
      const e = c[s.id];
      const r = (h: any) => [h.edges[0], h.edges.at(-1), h.counts.reduce((a: number, b: number) => a + b)];
      console.log(
        s.kind,
        s.form,
        e.longestRow,
        JSON.stringify({
          input: r(e.input),
          holes: Object.fromEntries(Object.entries(e.holes).map(([k, h]) => [k, r(h)])),
        }),
      );
    }
  });
