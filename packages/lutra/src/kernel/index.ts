export * from "./build.ts";
export * from "./cost.ts";
export * from "./holes.ts";
export * from "./interpret.ts";
export { laneOf, laneRange } from "./lanes.ts";
export { ranges } from "./ranges.ts";
export type * from "./types.ts";
export * from "./verify.ts";
