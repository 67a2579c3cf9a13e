export { LeastSquares } from "./least-squares.ts";
export { measure } from "./norm.ts";
export type { Points } from "./points.ts";
export { toBreakpoint } from "./pwl.ts";
export { bestSegmentation, bordersEvery, type Programme, restBounds, settle } from "./segmentation.ts";
export { METHODS, solve } from "./solve.ts";
export { prepare } from "./task.ts";
export { cover, longestRun, type Tube } from "./tube.ts";
export type { FitResult, Method, MethodOptions, Unconstrained } from "./types.ts";
