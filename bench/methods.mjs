// Published methods re-run on GQA-LUT's own grid (../shared/published/gqa-lut-2024.json): GQA-LUT's genetic search against its public
// trainer's ten seeds and time, NN-LUT's nets against a re-run made before the project began, and what one table for all int8 scales can
// reach. Mean square error; medians of ten seeds.
import { readFile } from "node:fs/promises";
import { finish, parseFormat, solve } from "lutra";
import { atMost, medianSeconds, shared } from "./lutra.mjs";

export const name = "methods";

const STEP = 0.01;
const STORED = parseFormat("s16.6");
const BINARY32 = parseFormat("binary32");
/** Fine enough that no output of a table with slopes and intercepts on 2^-6 and inputs on 2^-6 is rounded. */
const OUTPUT = parseFormat("s24.12");
const NAMES = { hswish: "hard-swish" };
const SEEDS = 10;
/** Published values are rounded: two digits in the ten-seed ranges, three elsewhere. */
const TOLERANCE = 1.01;

/** Median mean square of ten nets in real numbers, of a re-run in C: mean absolute error, Adam, 45,000 steps of 2,048. */
const NN_LUT_MEDIANS = {
  "gelu 8": 2.43e-4,
  "gelu 16": 9.31e-6,
  "hswish 8": 1.12e-3,
  "hswish 16": 7.3e-4,
  "exp 8": 1.04e-5,
  "exp 16": 9.4e-7,
  "reciprocal 8": 7.28e-4,
  "reciprocal 16": 1.22e-5,
  "rsqrt 8": 1.91e-4,
  "rsqrt 16": 9.58e-6,
};
const NN_LUT_FACTOR = 3;
/** Of the published trainer's own time. */
const SHARE_OF_TIME = 0.1;
const INT16_SECONDS = 2;

export async function measure() {
  const published = JSON.parse(await readFile(shared("published/gqa-lut-2024.json"), "utf8"));
  const keys = Object.keys(published.mse);
  const parts = [
    ...keys.map((key) => genetic(key, published)),
    ...keys.map((key) => reluNet(key, published)),
    ...keys.map((key) => scales(key, published)),
    ...["mse", "max"].map(int16),
  ];
  return { rows: parts.map(({ row }) => row), figures: parts.flatMap(({ figures }) => figures) };
}

function genetic(key, published) {
  const [, best, , worst] = published.ten_seeds_own_fitness[key];
  const found = seeds("genetic", {
    ...gridProblem(key, published),
    coefficients: { slope: STORED, intercept: STORED },
  });
  return {
    row: { method: "genetic", ...question(key), ...found, published: { best, worst } },
    figures: [
      atMost(`genetic ${key}: median at most the trainer's worst`, found.median, worst),
      atMost(`genetic ${key}: median at least the trainer's best`, best, found.median),
      atMost(
        `genetic ${key}: time`,
        found.cpuSeconds,
        SHARE_OF_TIME * published.search_cpu_seconds["gqa (public trainer)"][0],
        "s",
      ),
    ],
  };
}

function reluNet(key, published) {
  const found = seeds("relu-net", gridProblem(key, published));
  const median = NN_LUT_MEDIANS[key];
  return {
    row: { method: "relu-net", ...question(key), ...found, published: { median } },
    figures: [atMost(`relu-net ${key}: median`, found.median, NN_LUT_FACTOR * median)],
  };
}

/** One table for every int8 scale, and the best for each: by the optimum, and as GQA-LUT deploys its search, rounded both ways. */
function scales(key, published) {
  const {
    per_scale_optimum_6_bits: own,
    one_shared_table_local_search: search,
    gqa_seed_42: gqa,
  } = published.int8_grid_average_over_scales;
  const { scales: formats, ...rest } = scaledProblem(key, published);
  const each = formats.map((input) =>
    finish(solve({ ...rest, spec: { ...rest.spec, input } }, "optimal", { seed: 1 })),
  );
  const perScale = each.reduce((sum, { objective }) => sum + objective, 0) / each.length;
  const start = performance.now();
  const { objective, bound } = finish(solve({ ...rest, scales: formats }, "optimal", { seed: 1 }));
  const seconds = (performance.now() - start) / 1000;
  const [nearest, exact] = ["nearest", "exact"].map((breakpointRounding) =>
    seeds("genetic", { ...rest, scales: formats }, { breakpointRounding }),
  );
  return {
    row: {
      method: "optimal, all scales",
      ...question(key),
      perScale,
      shared: objective,
      bound,
      seconds,
      genetic: { nearest: nearest.median, exact: exact.median },
      published: { perScale: own[key], shared: search[key], genetic: gqa[key] },
    },
    figures: [
      atMost(`${key}: mean of the scales' optima`, perScale, own[key] * TOLERANCE),
      atMost(`${key}: mean of the scales' optima, from below`, own[key], perScale * TOLERANCE),
      atMost(`${key}: one table for all scales`, objective, search[key]),
    ],
  };
}

function int16(norm) {
  const problem = {
    spec: { fn: "gelu", domain: { lo: -8, hi: 8 }, input: parseFormat("s16.12"), output: parseFormat("s16.12") },
    size: { segments: 64 },
    norm,
    tails: ["extend", "extend"],
    reductions: [],
  };
  const { objective, bound, boundHolds } = finish(solve(problem, "optimal", { seed: 1 }));
  const seconds = medianSeconds(() => finish(solve(problem, "optimal", { seed: 1 })), 3);
  return {
    row: { method: "optimal, int16", fn: "gelu", segments: 64, norm, objective, bound, boundHolds, seconds },
    figures: [atMost(`optimal, int16 GELU, 64 segments, ${norm}: time`, seconds, INT16_SECONDS, "s")],
  };
}

function question(key) {
  const [fn, segments] = key.split(" ");
  return { fn: NAMES[fn] ?? fn, segments: Number(segments) };
}

function gridProblem(key, { ranges }) {
  const { fn, segments } = question(key);
  const [lo, hi] = ranges[key.split(" ")[0]];
  return {
    spec: { fn, domain: { lo, hi }, input: BINARY32, output: BINARY32 },
    size: { segments },
    norm: "mse",
    grid: { lo, hi, step: STEP },
    tails: ["extend", "extend"],
    reductions: [],
  };
}

/** int8 codes inside the range at scales 2^0 to 2^-6; the published averages have only 2^-5 for 1/x, and not 2^-6 for 1/sqrt. */
function scaledProblem(key, published) {
  const { grid: _, ...problem } = gridProblem(key, published);
  const fn = problem.spec.fn;
  const exponents = fn === "reciprocal" ? [5] : [0, 1, 2, 3, 4, 5, 6].slice(0, fn === "rsqrt" ? 6 : 7);
  const formats = exponents.map((k) => parseFormat(k === 0 ? "int8" : `s8.${k}`));
  return {
    ...problem,
    spec: { ...problem.spec, input: formats[0], output: OUTPUT },
    coefficients: { slope: STORED, intercept: STORED },
    scales: formats,
  };
}

function seeds(method, problem, parameters = {}) {
  const before = process.cpuUsage();
  const errors = Array.from(
    { length: SEEDS },
    (_, k) => finish(solve(problem, method, { seed: k + 1, parameters })).objective,
  );
  const { user, system } = process.cpuUsage(before);
  errors.sort((a, b) => a - b);
  const median = (errors[SEEDS / 2 - 1] + errors[SEEDS / 2]) / 2;
  return { best: errors[0], median, worst: errors[SEEDS - 1], cpuSeconds: (user + system) / 1e6 / SEEDS };
}
