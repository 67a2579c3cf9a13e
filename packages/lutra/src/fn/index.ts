export { functionNames } from "./named.ts";
export { parseFn } from "./parse-fn.ts";
export { layerNorm, logSoftmax, ROW_FUNCTIONS, rmsNorm, softmax } from "./row.ts";
export type { FarLine, Fn, Identity } from "./types.ts";
