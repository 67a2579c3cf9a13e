// ONNX models: read, write, a typed view of the graph, finding the non-linear layers, replacing them by functions.

export type { AttributeValue } from "./build.ts";
export { constant, int64, node, tensor } from "./build.ts";
export type { ReadOptions } from "./read.ts";
export { readModel } from "./read.ts";
export type { FunctionDefinition, Model, Replacement, Site } from "./types.ts";
export { concatenate, writeModel } from "./write.ts";
