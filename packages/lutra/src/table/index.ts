export * from "./evaluate.ts";
export type * from "./types.ts";
export * from "./validate.ts";
