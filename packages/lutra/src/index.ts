// Everything a user of the library needs, re-exported. No code here.

export * from "./base/index.ts";
export * from "./certify/index.ts";
export * from "./compile.ts";
export {
  batches,
  countSamples,
  type Dataset,
  type DatasetDescription,
  fitDataset,
  loadDataset,
  type Metric,
  parseDescription,
  type ReadFile,
  type Split,
} from "./data/index.ts";
export { type FitResult, METHODS, type Method, type MethodOptions, solve } from "./fit/index.ts";
export {
  type Fn,
  functionNames,
  type Identity,
  layerNorm as exactLayerNorm,
  logSoftmax as exactLogSoftmax,
  parseFn,
  rmsNorm as exactRmsNorm,
  softmax as exactSoftmax,
} from "./fn/index.ts";
export * from "./kernel/index.ts";
export * from "./layer/index.ts";
export * from "./model/index.ts";
export * from "./num/index.ts";
export {
  concatenate,
  findSites,
  type FunctionDefinition,
  type Model,
  readModel,
  type ReadOptions,
  type Replacement,
  rewrite,
  type RewriteOptions,
  type Site,
  writeModel,
} from "./onnx/index.ts";
export * from "./table/index.ts";
export { emit as emitOnnx, type EmitOptions as EmitOnnxOptions } from "./target/onnx/index.ts";
