// Every row of ../shared/published/gqa-lut-2024.json: the optimum in the same storage and over real lines, to 1 %, and its time.
// Exits non-zero if a row misses. Writes bench/results/gqa.json: the same on every machine but for `machine` and `seconds`.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { BINARY32, finish, parseFormat, solve } from "lutra";

const TOLERANCE = 0.01;
const published = fileURLToPath(new URL("../../shared/published/gqa-lut-2024.json", import.meta.url));
const results = fileURLToPath(new URL("results/", import.meta.url));
const STORAGE = parseFormat("s16.6");

if (!existsSync(published)) {
  console.log("bench/gqa: skipped, ../shared/published/gqa-lut-2024.json is missing");
  process.exit(0);
}

/** The published question: least mean square on the grid lo + 0.01 i, no tails, no output rounding. */
function question(fn, [lo, hi], segments, coefficients) {
  return {
    spec: { fn, domain: { lo, hi }, input: BINARY32, output: BINARY32 },
    size: { segments },
    norm: "mse",
    grid: { lo, hi, step: 0.01 },
    tails: ["extend", "extend"],
    reductions: [],
    ...(coefficients === null ? {} : { coefficients: { slope: coefficients, intercept: coefficients } }),
  };
}

/** Median time of three runs, in seconds, and their result. */
function timed(problem) {
  const runs = [0, 1, 2].map(() => {
    const start = performance.now();
    const result = finish(solve(problem, "optimal", { seed: 0 }));
    return { result, seconds: (performance.now() - start) / 1000 };
  });
  runs.sort((a, b) => a.seconds - b.seconds);
  return runs[1];
}

const within = (ratio) => Math.abs(ratio - 1) <= TOLERANCE;
const notAbove = (ratio) => ratio <= 1;

/** The figures of a row, the coefficients they are about, and what counts as met. hswish's continuous optimum is only the best found. */
function figuresOf(name) {
  const both = [
    ["same_storage_optimum", STORAGE, within],
    ["bound_real_jumps_allowed", null, within],
  ];
  return name === "hswish" ? [...both, ["continuous_optimum_real", null, notAbove]] : both;
}

const { mse, ranges } = JSON.parse(readFileSync(published, "utf8"));
const rows = Object.entries(mse).flatMap(([row, figures]) => {
  const [name, entries] = row.split(" ");
  const fn = name === "hswish" ? "hard-swish" : name;
  return figuresOf(name).map(([figure, coefficients, met]) => {
    const { result, seconds } = timed(question(fn, ranges[name], Number(entries), coefficients));
    const ratio = result.objective / figures[figure];
    const proven = result.objective <= result.bound * 1.0001;
    const ok = met(ratio) && proven;
    return { row, figure, published: figures[figure], found: result.objective, ratio, proven, ok, seconds };
  });
});

console.log("row            figure                     published   found       ratio    proven  seconds");
for (const { row, figure, published: value, found, ratio, proven, ok, seconds } of rows) {
  const cells = [
    row.padEnd(14),
    figure.padEnd(26),
    value.toExponential(3).padEnd(11),
    found.toExponential(3).padEnd(11),
  ];
  console.log(...cells, ratio.toFixed(4), proven ? " yes   " : " NO    ", seconds.toFixed(3), ok ? "" : "  MISSED");
}
mkdirSync(results, { recursive: true });
const machine = cpus()[0]?.model ?? "unknown";
writeFileSync(`${results}gqa.json`, `${JSON.stringify({ machine, tolerance: TOLERANCE, rows }, null, 1)}\n`);
const missed = rows.filter(({ ok }) => !ok).length;
console.log(
  missed === 0
    ? `all ${rows.length} figures met, to ${TOLERANCE * 100} %`
    : `${missed} of ${rows.length} figures missed`,
);
process.exitCode = missed === 0 ? 0 : 1;
