export * from "./elementwise.ts";
export * from "./layer-for.ts";
export * from "./norm.ts";
export * from "./softmax.ts";
