export * from "./elementwise.ts";
export * from "./norm.ts";
export * from "./softmax.ts";
