export * from "./build.ts";
export * from "./holes.ts";
export * from "./interpret.ts";
export type * from "./types.ts";
export * from "./verify.ts";
