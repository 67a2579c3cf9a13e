// npm run tables: writes the tables of README.md from bench/results, so that no number there is typed by hand.
// A table stands between `<!-- generated: NAME -->` and `<!-- end -->`; test/docs.test.ts fails when one is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./lutra.mjs";

const DIGITS = 3;

/** Where generated tables may stand. */
export const DOCUMENTS = ["README.md"];

/** By name: which bench it shows, its columns, and how a row of results becomes one or no line. */
const TABLES = {
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
      const allowed = metric === "accuracy" ? `${maxDrop} points` : `${maxDrop} % of ${metric}`;
      const sizes = Object.entries(segments).map(([table, count]) => `${table.replace(/-\d+$/, "")} ${count}`);
      const saved = [`${uniformBytes} bytes`, `${bytes} bytes`, sizes.join(", ")];
      return [name, allowed, ...saved, quality(before), quality(after), percent(flips)];
    },
  },
  models: {
    bench: "models",
    columns: ["model", "layers", "segments", "before", "after", "answers changed", "largest logit error", "time"],
    align: "lrrrrrrr",
    line({ model, sites, segments, before, after, flips, logitError, seconds }) {
      const name = model.replace(/^.*\/|\.onnx$/g, "");
      const changes = [percent(flips), significant(logitError.max), `${Math.round(seconds)} s`];
      return [name, sites, segments, quality(before), quality(after), ...changes];
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
  const { machine, rows } = JSON.parse(readFileSync(join(ROOT, "bench", "results", `${table.bench}.json`), "utf8"));
  const rule = [...table.align].map((side) => (side === "r" ? "--:" : ":--"));
  const lines = [table.columns, rule, ...rows.map(table.line)].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n\n<sub>${machine.cpu}, ${machine.cores} cores, Node ${machine.node}</sub>`;
}

/** The metric that says most: perplexity of a language model, else accuracy. */
function quality({ accuracy, perplexity }) {
  return perplexity === undefined ? percent(accuracy) : `perplexity ${perplexity.toFixed(4)}`;
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** Three significant digits. */
function significant(value) {
  return Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(DIGITS - 1) : value.toPrecision(DIGITS);
}

/** The next number of three significant digits that is not below the value: a proven bound must not be rounded down. */
function roundedUp(value) {
  const nearest = Number(value.toPrecision(DIGITS));
  if (nearest >= value) return nearest;
  const unit = 10 ** (Math.floor(Math.log10(value)) + 1 - DIGITS);
  return Number((nearest + unit).toPrecision(DIGITS));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const document of DOCUMENTS) {
    const path = join(ROOT, document);
    writeFileSync(path, renewTables(readFileSync(path, "utf8")));
  }
}
