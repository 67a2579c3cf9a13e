// What refitting recovers: stories260k with NN-LUT's tables of 8 entries, and with those tables fitted again to what the layers see.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra, shared } from "./lutra.mjs";

export const name = "refit";

const MODEL = "stories260k/stories260k.onnx";
const DATA = "examples/datasets/stories260k.json";
/** Of the perplexity that the tables cost, what may be left. */
const LEFT = 0.5;

export async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "lutra-bench-"));
  try {
    const [published, refitted] = [join(folder, "published"), join(folder, "refitted")];
    const asked = [shared(`models/${MODEL}`), "--data", DATA];
    await lutra("compile", ...asked, "--method", "relu-net", "--segments", "8", "-o", published);
    const plan = join(published, "plan.json");
    const { before, unfitted, after, seconds } = await lutra("refit", ...asked, "--plan", plan, "-o", refitted);
    const [cost, left] = [unfitted.metrics, after].map(({ perplexity }) => perplexity - before.perplexity);
    const row = { model: MODEL, method: "relu-net", segments: 8, before, unfitted: unfitted.metrics, after, seconds };
    return {
      rows: [row],
      figures: [atMost("stories260k, relu-net, 8 entries: perplexity left", left / cost, LEFT, "%")],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
