// Everything a user of the library needs, re-exported. No code here.

export * from "./base/index.ts";
export * from "./certify/index.ts";
export * from "./compare/index.ts";
export * from "./compare-model.ts";
export * from "./compile.ts";
export * from "./compile-program.ts";
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
export {
  type FitResult,
  METHODS,
  type MeasuredError,
  type Method,
  type MethodOptions,
  measureTable,
  OWN_SIZE,
  PARAMETERS,
  type Parameters,
  parseHistogram,
  solve,
  type Unconstrained,
  type WholeNumber,
} from "./fit/index.ts";
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
export * from "./onnx.ts";
export {
  decodeCodes,
  decodeOutputs,
  encodeInputs,
  encodeNumbers,
  type InterpretOptions as InterpretProgramOptions,
  interpret as interpretProgram,
  interpreterSession,
  type Program,
  readProgram,
  tensorsRead,
  tensorsWritten,
  verify as verifyProgram,
  writeProgram,
} from "./program/index.ts";
export { programFile } from "./program-file.ts";
export type { CompiledSite, CompiledTable } from "./prove.ts";
export * from "./question.ts";
export * from "./refit.ts";
export { type Codes, type CompiledKernel, type CompileKernelOptions, compileKernel } from "./run/index.ts";
export * from "./table/index.ts";
export { emit as emitC } from "./target/c/index.ts";
export {
  type BinaryFile,
  type EmittedFile,
  emit as emitWasm,
  type LoaderOptions as EmitWasmOptions,
} from "./target/loader/index.ts";
export { type EmitOptions as EmitOnnxOptions, emit as emitOnnx } from "./target/onnx/index.ts";
export type { SourceFile, SourceOptions } from "./target/source/index.ts";
export { emit as emitTypeScript } from "./target/typescript/index.ts";
export {
  type EmitOptions as EmitWasmModuleOptions,
  type EmittedModule,
  emit as emitWasmModule,
  type Form as WasmForm,
} from "./target/wasm/index.ts";
export type { CompileTools } from "./workbench.ts";
