// The optimal tables on GQA-LUT's own grid, against its published code and against the optimum computed before the project
// began (../shared/published/gqa-lut-2024.json). Mean square error, no tails imposed, slope and intercept in steps of 2^-6
// or real. Two errors that should be equal may differ by 1 %: the published ones are rounded to three digits.
import { readFile } from "node:fs/promises";
import { finish, solve } from "lutra";
import { atMost, lutra, medianSeconds, shared } from "./lutra.mjs";

export const name = "published";

const STEP = "0.01";
const STORAGE = "s16.6";
const TOLERANCE = 1.01;

/** An optimum is proven when no table of its kind can be below it, but for the rounding of its lines to binary32. */
const ROUNDING = 1.0001;
const NAMES = { hswish: "hard-swish" };

/** For 800 points, 16 segments and stored pairs; the solver alone, warm. */
const SECONDS = 0.3;

export async function measure() {
  const published = JSON.parse(await readFile(shared("published/gqa-lut-2024.json"), "utf8"));
  const rows = [];
  const figures = [];
  for (const [key, errors] of Object.entries(published.mse)) {
    const [fn, segments] = key.split(" ");
    const stored = await fit(fn, published.ranges[fn], segments, ["--coefficients", STORAGE]);
    const real = await fit(fn, published.ranges[fn], segments, []);
    rows.push({ fn: NAMES[fn] ?? fn, segments: Number(segments), published: errors, stored, real });
    figures.push(
      atMost(`${key}: stored optimum`, stored.mse, errors.same_storage_optimum * TOLERANCE),
      atMost(`${key}: stored optimum, from below`, errors.same_storage_optimum, stored.mse * TOLERANCE),
      atMost(`${key}: real optimum`, real.mse, errors.bound_real_jumps_allowed * TOLERANCE),
      atMost(`${key}: real optimum, from below`, errors.bound_real_jumps_allowed, real.mse * TOLERANCE),
      atMost(`${key}: at or below the continuous optimum`, real.mse, errors.continuous_optimum_real * TOLERANCE),
      atMost(`${key}: stored optimum, proven`, stored.objective, stored.bound * ROUNDING),
      atMost(`${key}: real optimum, proven`, real.objective, real.bound * ROUNDING),
    );
    if (segments === "16") figures.push(atMost(`${key}: time for stored pairs`, stored.seconds, SECONDS, "s"));
  }
  return { rows, figures };
}

async function fit(fn, [lo, hi], segments, options) {
  const question = [NAMES[fn] ?? fn, "--grid", `${lo}:${hi}:${STEP}`, "--segments", segments];
  const { problem, error, objective, bound } = await lutra(
    "fit",
    ...question,
    "--norm",
    "mse",
    "--tails",
    "extend",
    ...options,
  );
  const seconds = medianSeconds(() => finish(solve(problem, "optimal", { seed: 1 })));
  return { mse: error.mse, max: error.max, objective, bound, seconds };
}
