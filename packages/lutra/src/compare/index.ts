export { type CompareOptions, compare } from "./compare.ts";
export { GRIDS, type Grid, questionOf } from "./grids.ts";
export type { ComparedTable, CompareRefusal, CompareRow, MethodComparison, Question } from "./types.ts";
