// The goals for the speed of programs, read off the rows of all races: each is a median of ratios of one round. A row that a runtime does not
// have leaves its figure unmeasured, which misses.
import { atLeast, atMost } from "../lutra.mjs";
import { LIMIT, LUTRA, layerName, MODELS, NODE, NODE_INT8, PRODUCT, WEB, WEB_INT8 } from "./names.mjs";

const LEAST_JUDGED = 24;
/** Over the time of a layer from numbers to numbers. The int8 of onnxruntime-node on the base layer is reported only. */
const LAYER_GOALS = {
  base: { [WEB]: 6, [WEB_INT8]: 2.7, [NODE]: 1.2 },
  tiny: { [WEB]: 7, [WEB_INT8]: 4.5, [NODE]: 1.7, [NODE_INT8]: 1.2 },
};
/** Over plain SIMD, the base layer: in Node 24 and later, and in Node 20. */
const PLAIN_SIMD = { judged: 2.6, "node-20": 1.9 };
const MODEL_GOAL = 4;
const OF_LIMIT = 0.95;
/** What a layer may take in Chromium over its time in Node. */
const CHROMIUM = 1.1;

/**
 * @param variant "node-24", "node-20", "chromium", ...
 * @param rows of that runtime
 * @param beside rows of Node 24, which Chromium's are held to
 */
export function speedFigures(variant, rows, beside) {
  if (variant === "chromium") return chromiumFigures(rows, beside);
  const major = Number(/^node-(\d+)$/.exec(variant)?.[1]);
  if (variant === "node-20") return [plainFigure(rows, PLAIN_SIMD["node-20"])];
  if (!(major >= LEAST_JUDGED)) return [];
  return [...layerFigures(rows), plainFigure(rows, PLAIN_SIMD.judged), ...modelFigures(rows), limitFigure(rows)];
}

function layerFigures(rows) {
  return Object.entries(LAYER_GOALS).flatMap(([size, goals]) =>
    Object.entries(goals).map(([peer, goal]) => {
      const race = layerName(size);
      return atLeast(`${race}: ${peer}`, over(rows, race, peer, LUTRA.relaxed), goal, "x");
    }),
  );
}

function plainFigure(rows, goal) {
  const race = layerName("base");
  return atLeast(`${race}, plain SIMD: ${WEB}`, over(rows, race, WEB, LUTRA.simd), goal, "x");
}

function modelFigures(rows) {
  return MODELS.map(({ race }) => atLeast(`${race}: ${WEB}`, over(rows, race, WEB, LUTRA.chosen), MODEL_GOAL, "x"));
}

function limitFigure(rows) {
  const ratio = over(rows, PRODUCT, LUTRA.product, LIMIT);
  return atLeast(`${PRODUCT}: of the limit of 128-bit dots`, ratio === null ? null : 1 / ratio, OF_LIMIT, "%");
}

function chromiumFigures(rows, beside) {
  return Object.keys(LAYER_GOALS).map((size) => {
    const race = layerName(size);
    const [here, there] = [rows, beside].map((all) => find(all, race, LUTRA.relaxed)?.milliseconds);
    const ratio = here === undefined || there === undefined ? null : here / there;
    return atMost(`${race}: time in Chromium over Node 24's`, ratio, CHROMIUM, "x");
  });
}

function over(rows, race, contestant, reference) {
  return find(rows, race, contestant)?.over[reference] ?? null;
}

export function find(rows, race, contestant) {
  return rows.find((row) => row.race === race && row.contestant === contestant);
}
