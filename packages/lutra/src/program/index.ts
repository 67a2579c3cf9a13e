export { readProgram, writeProgram } from "./file.ts";
export { interpret } from "./interpret.ts";
export * from "./places.ts";
export * from "./polynomial.ts";
export type * from "./types.ts";
export { verify } from "./verify.ts";
