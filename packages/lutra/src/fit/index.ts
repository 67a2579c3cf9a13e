export { type Bound, deliver, deliverTable, NO_BOUND } from "./deliver.ts";
export { LeastSquares } from "./least-squares.ts";
export { type MinimaxLine, minimaxLine, type Targets } from "./minimax.ts";
export { measure, type Samples } from "./norm.ts";
export type { Points } from "./points.ts";
export { fromStarts, linePiece, type Piece, type Pwl, pieceAt, toBreakpoint } from "./pwl.ts";
export { quantise } from "./quantise.ts";
export {
  type Borders,
  bestSegmentation,
  bordersEvery,
  type Programme,
  type RunCost,
  restBounds,
  type Segmentation,
  settle,
} from "./segmentation.ts";
export { METHODS, solve } from "./solve.ts";
export { prepare, type Task } from "./task.ts";
export { cover, longestRun, type Tube } from "./tube.ts";
export type { FitResult, Method, MethodOptions } from "./types.ts";
