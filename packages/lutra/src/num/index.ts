export * from "./float.ts";
export * from "./format.ts";
export * from "./histogram.ts";
export type { Interval } from "./interval.ts";
export * as iv from "./interval.ts";
export * from "./multiplier.ts";
export * from "./random.ts";
export * from "./rational.ts";
export * from "./remez.ts";
