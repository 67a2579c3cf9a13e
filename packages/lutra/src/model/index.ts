export * from "./calibrate.ts";
export { declaredInputs } from "./declared.ts";
export type { Comparison, Logits, Metrics } from "./metrics.ts";
export * from "./plan.ts";
export { compareScores, type Score, type ScoreOptions, score } from "./score.ts";
