export * from "./cost.ts";
export * from "./evaluate.ts";
export * from "./starts.ts";
export type * from "./types.ts";
export * from "./validate.ts";
