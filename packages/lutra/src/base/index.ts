export * from "./error.ts";
export * from "./json.ts";
export * from "./tensor.ts";
export * from "./work.ts";
