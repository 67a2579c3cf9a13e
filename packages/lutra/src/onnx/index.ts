// ONNX models: read, write, a typed view of the graph, finding the non-linear layers, replacing them by functions.

export type { AttributeValue } from "./build.ts";
export { constant, int64, node, tensor } from "./build.ts";
export { embedExternal } from "./embed.ts";
export { exposeValues } from "./expose.ts";
export { findSites } from "./find.ts";
export type { Graph } from "./graph.ts";
export { viewGraph } from "./graph.ts";
export type { Facts } from "./infer.ts";
export { FIRST_OPSET, LAST_OPSET } from "./limits.ts";
export type { ReadOptions } from "./read.ts";
export { readModel } from "./read.ts";
export type { RewriteOptions } from "./rewrite.ts";
export { FUNCTION_DOMAIN, rewrite } from "./rewrite.ts";
export { decodeTensor } from "./tensor.ts";
export type { FunctionDefinition, Model, Replacement, Site } from "./types.ts";
export { concatenate, writeModel } from "./write.ts";
