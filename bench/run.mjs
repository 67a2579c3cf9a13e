// npm run bench: measures, writes bench/results/NAME.json, and lists which figures hit their limits and which miss.
// `npm run bench -- models published` runs only those. Fails if a figure misses. `npm run tables` then renews README.md.
// `npm run bench -- kernels --runtime node@24 --runtime chromium` runs a bench elsewhere, if it can; each runtime has a file of its own.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as budgets from "./budgets.mjs";
import * as compare from "./compare.mjs";
import * as compareModels from "./compare-models.mjs";
import * as errors from "./errors.mjs";
import * as exhaustive from "./exhaustive.mjs";
import * as inspect from "./inspect.mjs";
import * as kernels from "./kernels.mjs";
import { machine, ROOT } from "./lutra.mjs";
import * as methods from "./methods.mjs";
import * as models from "./models.mjs";
import * as onnxIo from "./onnx-io.mjs";
import * as operators from "./operators.mjs";
import * as programs from "./programs.mjs";
import * as programsSpeed from "./programs-speed.mjs";
import * as published from "./published.mjs";
import * as refit from "./refit.mjs";
import * as tfjs from "./tfjs.mjs";

const BENCHES = [
  errors,
  exhaustive,
  published,
  methods,
  onnxIo,
  inspect,
  operators,
  kernels,
  programsSpeed,
  tfjs,
  models,
  programs,
  budgets,
  compare,
  compareModels,
  refit,
];

const { positionals: chosen, values } = parseArgs({
  allowPositionals: true,
  options: { runtime: { type: "string", multiple: true } },
});
const unknown = chosen.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(", ")}; there are ${BENCHES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

let missed = 0;
await mkdir(join(ROOT, "bench", "results"), { recursive: true });
for (const { name, measure } of BENCHES) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  console.log(`\n${name}`);
  for (const { variant, rows, figures, ...more } of [await measure(values)].flat()) {
    const file = join("bench", "results", `${variant === undefined ? name : `${name}-${variant}`}.json`);
    // Where another runtime was measured, the Node that asked it does not matter.
    const { node, ...host } = machine();
    const result = { machine: "runtime" in more ? host : { ...host, node }, ...more, rows, figures };
    await writeFile(join(ROOT, file), `${JSON.stringify(result, null, 2)}\n`);
    for (const figure of figures) console.log(`  ${describe(figure)}`);
    missed += figures.filter(({ met }) => !met).length;
    const hits = `${figures.filter(({ met }) => met).length} of ${figures.length} figures met`;
    console.log(`  wrote ${file}: ${rows.length} rows, ${hits}`);
  }
}
process.exitCode = missed > 0 ? 1 : 0;

function describe({ what, measured, limit, unit, met, isLeast = false }) {
  const wanted = `at ${isLeast ? "least" : "most"} ${show(limit, unit)}`;
  return `${met ? "hit " : "MISS"}  ${what}: ${measured === null ? "not measured" : show(measured, unit)}, ${wanted}`;
}

function show(value, unit) {
  return unit === "%" ? `${(100 * value).toFixed(2)} %` : `${Number(value.toPrecision(5))}${unit && ` ${unit}`}`;
}
