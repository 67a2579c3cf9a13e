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
  type OpenTokenizer,
  parseDescription,
  type ReadFile,
  type Split,
} from "./data/index.ts";
export { type FitResult, METHODS, type Method, type MethodOptions, solve, type Unconstrained } from "./fit/index.ts";
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
  type ExternalFile,
  externalFiles,
  type FunctionDefinition,
  findSites,
  type Model,
  type ReadOptions,
  type Replacement,
  type RewriteOptions,
  readModel,
  rewrite,
  type Site,
  writeModel,
} from "./onnx/index.ts";
export type { CompiledSite, CompiledTable } from "./prove.ts";
export * from "./table/index.ts";
export { type EmitOptions as EmitOnnxOptions, emit as emitOnnx } from "./target/onnx/index.ts";
