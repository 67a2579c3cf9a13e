// Bench: finding the layers of a generated model of 300 MB and some 10,000 nodes, most of them GELUs spelled out. The whole command is
// timed, as a user would: starting Node, reading the file, searching.

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra } from "./lutra.mjs";
import { operation, scalar, writeLargeModel } from "./onnx-io.mjs";

export const name = "inspect";

/** GELUs of five nodes after each of the 75 products. */
const GELUS_PER_LAYER = 27;
const LAYERS = 75;
const RUNS = 9;

export async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "lutra-inspect-"));
  try {
    const file = join(folder, "model.onnx");
    await writeLargeModel(file, gelus, [scalar("root", Math.SQRT2), scalar("one", 1), scalar("half", 0.5)]);
    const { size } = await stat(file);
    const rows = [];
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      const { model, sites } = await lutra("inspect", file);
      const seconds = (performance.now() - start) / 1000;
      const found = sites.filter(({ kind }) => kind === "gelu").length;
      if (found !== LAYERS * GELUS_PER_LAYER) throw new Error(`${found} GELUs were found`);
      rows.push({ run, bytes: size, nodes: model.nodes, sites: sites.length, seconds });
    }
    const seconds = rows.map((row) => row.seconds).toSorted((a, b) => a - b)[Math.floor(RUNS / 2)];
    const what = `lutra inspect, ${Math.round(size / 1e6)} MB and ${rows[0].nodes} nodes, median of ${RUNS}`;
    return { rows, figures: [atMost(what, seconds, 1, "s")] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** x * (1 + erf(x / sqrt 2)) * 0.5, again and again. */
function gelus(layer) {
  const nodes = [];
  for (let i = 0; i < GELUS_PER_LAYER; i++) {
    const at = `g${layer}_${i}`;
    const from = i === 0 ? `p${layer}` : `g${layer}_${i - 1}y`;
    const to = i === GELUS_PER_LAYER - 1 ? `h${layer + 1}` : `${at}y`;
    nodes.push(operation("Div", [from, "root"], `${at}u`), operation("Erf", [`${at}u`], `${at}e`));
    nodes.push(operation("Add", [`${at}e`, "one"], `${at}s`), operation("Mul", [from, `${at}s`], `${at}m`));
    nodes.push(operation("Mul", [`${at}m`, "half"], to));
  }
  return nodes;
}
