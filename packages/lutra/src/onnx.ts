// "lutra/onnx": reading, searching, rewriting and writing ONNX models without the rest of the library, which takes as long again to load.
// Part of index.ts. No code here.

export {
  concatenate,
  type ExternalFile,
  externalFiles,
  type FunctionDefinition,
  findLayers,
  findSites,
  type Layers,
  type Model,
  type ReadOptions,
  type Replacement,
  type RewriteOptions,
  readModel,
  rewrite,
  type Site,
  type Skipped,
  writeModel,
} from "./onnx/index.ts";
