import { readFileSync } from "node:fs";
import { resolve, dirname } from "node:path";
import * as ort from "onnxruntime-node";
import { it } from "vitest";
import { loadDataset, parseDescription, fitDataset, batches } from "../../packages/lutra/src/data/index.ts";
import { score, compareScores } from "../../packages/lutra/src/model/score.ts";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
it("x", async () => {
    const file = resolve("examples/datasets/sst2.json");
    const ds = await loadDataset(parseDescription(readFileSync(file), file), async (p) => readFileSync(resolve(dirname(file), p)));
    const s = await openSession(ort, resolve("../shared/models/sst2_bert_tiny/sst2_bert_tiny.onnx"), { threads: 2 });
    const bs = [...batches(ds, "all", {size: 100, pad: true})];
    console.log(bs.map(b => b.lengths?.each.join()));
    console.log(bs[0].inputs);
    const a = await score(s, ds, "all", {}, { batchSize: 100 });
    const b = await score(s, ds, "all", {}, { batchSize: 1 });
    console.log(compareScores(a, b), a.logits.samples.slice(0, 3), b.logits.samples.slice(0,3));
});
