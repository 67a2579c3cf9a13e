// npm run tables: writes the tables of README.md and COMPARE.md from bench/results, so that no number there is typed by hand.
// A table stands between `<!-- generated: NAME -->` and `<!-- end -->`; test/docs.test.ts fails when one is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { distinct, percent, quality, roundedUp, signedPercent, significant, times } from "./cells.mjs";
import { SPEED_TABLES } from "./kernels/tables.mjs";
import { ROOT } from "./lutra.mjs";
import { PROGRAM_TABLES } from "./programs/tables.mjs";
import { TFJS_TABLES } from "./tfjs-tables.mjs";

/** Where generated tables may stand. */
export const DOCUMENTS = ["README.md", "COMPARE.md"];

/**
 * By name: which bench it shows (of several, the first has the machine), its columns, and how a row of results becomes a line; or how all
 * rows, or all results, become a whole table.
 */
const TABLES = {
  ...SPEED_TABLES,
  ...PROGRAM_TABLES,
  ...TFJS_TABLES,
  "compare-gqa": { bench: "compare", whole: ratiosOn("gqa") },
  "compare-int8": { bench: "compare", whole: ratiosOn("int8") },
  "compare-nn-lut": { bench: "compare", whole: ratiosOn("nn-lut") },
  "compare-huang": { bench: "compare", whole: ratiosOn("huang") },
  "compare-summary": { bench: "compare", whole: summary },
  "compare-cost": { bench: "compare", whole: costs },
  "compare-models": { bench: "compare-models", whole: modelRows },
  certified: {
    bench: "errors",
    columns: ["function", "input, output", "error", "8 segments", "16 segments", "64 segments"],
    align: "lllrrr",
    line({ fn, formats, range, relative, tables }) {
      const inputs =
        range === undefined ? formats.join(", ") : `${formats.join(", ")} in [${range.replace(",", ", ")}]`;
      const cells = tables.map(({ upper, worst }) => `${significant(roundedUp(upper))} at ${significant(worst)}`);
      return [fn, inputs, relative ? "relative" : "absolute", ...cells];
    },
  },
  gqa: {
    bench: "published",
    columns: [
      "function",
      "segments",
      "NN-LUT (re-trained), best of 10",
      "GQA-LUT, seed 42",
      "GQA-LUT, best of 10",
      "lutra, stored as s16.6",
      "lutra, real coefficients",
    ],
    align: "lrrrrrr",
    line({ fn, segments, published, stored, real }) {
      const others = [
        published.nn_lut_best_of_10_rounded_to_6_bits,
        published.gqa_seed_42,
        published.gqa_best_of_10_seeds,
      ];
      return [fn, segments, ...[...others, stored.mse, real.mse].map(significant)];
    },
  },
  operators: {
    bench: "operators",
    columns: [
      "operator in onnxruntime-node, one thread",
      "fused, ns per value",
      "16-entry tables, ns per value",
      "ratio",
    ],
    align: "lrrr",
    line({ opType, fusedNs, tableNs, ratio }) {
      return [opType, significant(fusedNs), significant(tableNs), `${significant(ratio)}x`];
    },
  },
  budgets: {
    bench: "budgets",
    columns: ["model", "allowed", "16 everywhere", "chosen", "segments chosen", "before", "after", "answers changed"],
    align: "lrrrlrrr",
    line({ model, maxDrop, metric, uniformBytes, bytes, segments, before, after, flips }) {
      const name = model.replace(/^.*\/|\.onnx$/g, "");
      const allowed = metric.endsWith("accuracy") ? `${maxDrop} points` : `${maxDrop} % of ${metric}`;
      const sizes = Object.entries(segments).map(([table, count]) => `${table.replace(/-\d+$/, "")} ${count}`);
      const saved = [`${uniformBytes} bytes`, `${bytes} bytes`, sizes.join(", ")];
      return [name, allowed, ...saved, quality(before), quality(after), percent(flips)];
    },
  },
  models: {
    bench: "models",
    columns: [
      "model",
      "layers",
      "segments",
      "samples",
      "before",
      "after",
      "NLL",
      "answers changed",
      "largest logit error",
      "time",
    ],
    align: "lrrrrrrrrr",
    line({ model, sites, segments, samples, before, after, nllChange, flips, logitError, seconds }) {
      const name = model.endsWith("decomposed.onnx") ? `${model.split("/")[0]} decomposed` : model.split("/")[0];
      const changes = [nllChange === null ? "" : signedPercent(nllChange), percent(flips), significant(logitError.max)];
      return [name, sites, segments, samples, quality(before), quality(after), ...changes, `${Math.round(seconds)} s`];
    },
  },
};

/** The document with every generated table renewed. @throws Error if a marker names no table or is not closed */
export function renewTables(text) {
  const opened = text.match(/<!-- generated: /g)?.length ?? 0;
  let renewed = 0;
  const result = text.replace(/<!-- generated: ([\w-]+) -->\n[\s\S]*?<!-- end -->/g, (_whole, name) => {
    renewed++;
    return `<!-- generated: ${name} -->\n${tableText(name)}\n<!-- end -->`;
  });
  if (renewed !== opened) throw new Error(`${opened} generated tables are opened, ${renewed} are well-formed`);
  return result;
}

function tableText(name) {
  const table = TABLES[name];
  if (table === undefined) throw new Error(`no table is called "${name}"; there are ${Object.keys(TABLES).join(", ")}`);
  const results = [table.bench].flat().map(readResult);
  const [{ machine, runtime = `Node ${machine.node}`, load, rows }] = results;
  const { columns, align, body } = table.whole?.(rows, results) ?? { ...table, body: rows.map(table.line) };
  const rule = [...align].map((side) => (side === "r" ? "--:" : ":--"));
  const lines = [columns, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`);
  const where = [machine.cpu, `${machine.cores} core${machine.cores === 1 ? "" : "s"}`, runtime];
  const busy = load === undefined ? [] : [`load ${load.toFixed(1)}`];
  return `${lines.join("\n")}\n\n<sub>${[...where, ...busy].join(", ")}</sub>`;
}

/** @throws Error if the bench has not been run */
function readResult(name) {
  return JSON.parse(readFileSync(join(ROOT, "bench", "results", `${name}.json`), "utf8"));
}

/** A grid's methods down, its questions across: mean square error over that of the optimum of as many entries in the same storage. */
function ratiosOn(grid) {
  return (all) => {
    const rows = all.filter((row) => row.grid === grid);
    const questions = distinct(rows.map(({ fn, segments }) => `${fn} ${segments}`));
    const cell = (method, question) => {
      const row = rows.find((one) => one.method === method && `${one.fn} ${one.segments}` === question);
      if (row === undefined) return "";
      return method === "optimal"
        ? significant(row.mse)
        : row.ratio === null
          ? `(${significant(row.mse)})`
          : times(row.ratio);
    };
    const methods = distinct(rows.map(({ method }) => method));
    return {
      columns: ["method", ...questions],
      align: `l${"r".repeat(questions.length)}`,
      body: methods.map((method) => [method, ...questions.map((question) => cell(method, question))]),
    };
  };
}

/** Geometric means over the questions of the two grids whose storage is prescribed, least first. */
function summary(all) {
  const means = (method) =>
    ["gqa", "int8"].map((grid) => {
      const ratios = all.filter((row) => row.grid === grid && row.method === method && row.ratio !== null);
      if (ratios.length === 0) return null;
      return Math.exp(ratios.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / ratios.length);
    });
  const rows = distinct(all.map(({ method }) => method))
    .map((method) => [method, ...means(method)])
    .filter(([, gqa, int8]) => gqa !== null || int8 !== null)
    .toSorted((a, b) => (a[1] ?? a[2]) - (b[1] ?? b[2]));
  return {
    columns: ["method", "GQA-LUT's grid", "int8 codes"],
    align: "lrr",
    body: rows.map(([method, ...cells]) => [method, ...cells.map((mean) => (mean === null ? "" : times(mean)))]),
  };
}

/** What a method's answer costs, for the question that every method answers. */
function costs(all) {
  const rows = all.filter(({ grid, fn, segments }) => grid === "gqa" && fn === "gelu" && segments === 16);
  return {
    columns: ["method", "entries", "bytes", "operations per value", "largest error", "found in"],
    align: "lrrrrr",
    body: rows.map((row) => [
      row.method,
      row.entries === 0 ? "none" : row.entries,
      ...(row.operations === 0 ? ["", ""] : [row.bytes, row.operations]),
      significant(row.max),
      `${significant(row.seconds)} s`,
    ]),
  };
}

function modelRows(rows) {
  return {
    columns: ["model", "replaced", "method", "segments", "before", "after", "NLL", "answers changed", "bytes"],
    align: "lllrrrrrr",
    body: rows.map(({ model, replaced, method, segments, before, metrics, flips, bytes }) => [
      model.split("/")[0],
      replaced,
      method,
      segments,
      quality(before),
      quality(metrics),
      before.nll === undefined ? "" : signedPercent(metrics.nll / before.nll - 1),
      percent(flips),
      bytes,
    ]),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const document of DOCUMENTS) {
    const path = join(ROOT, document);
    writeFileSync(path, renewTables(readFileSync(path, "utf8")));
  }
}
