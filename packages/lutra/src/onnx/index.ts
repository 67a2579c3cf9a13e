// ONNX models: read, write, a typed view of the graph, finding the non-linear layers, replacing them by functions.

export type { NodeProto } from "onnx-buf";
export { integersAttribute, numberAttribute, numbersAttribute } from "./attribute.ts";
export type { AttributeValue, Elements } from "./build.ts";
export { constant, int64, node, tensor } from "./build.ts";
export { embedExternal, externalFiles } from "./embed.ts";
export { exposeValues } from "./expose.ts";
export { viewGraph } from "./graph.ts";
export type { ReadOptions } from "./read.ts";
export { readModel } from "./read.ts";
export { expandRecurrent } from "./recurrent/model.ts";
export type { RewriteOptions } from "./rewrite.ts";
export { rewrite } from "./rewrite.ts";
export { findLayers, findSites, type Layers } from "./scopes.ts";
export type { Skipped } from "./skipped.ts";
export { type Rounding, SWITCHES, withSwitches } from "./switches.ts";
export type { ExternalFile, FunctionDefinition, Model, Replacement, Site } from "./types.ts";
export { concatenate, writeModel } from "./write.ts";
