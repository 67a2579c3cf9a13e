export { type Bound, deliver, deliverTable, NO_BOUND } from "./deliver.ts";
export { type MinimaxLine, minimaxLine, type Targets } from "./minimax.ts";
export { measure, type Samples } from "./norm.ts";
export type { Points } from "./points.ts";
export { fromStarts, linePiece, type Piece, type Pwl, pieceAt, toBreakpoint } from "./pwl.ts";
export { quantise } from "./quantise.ts";
export { METHODS, solve } from "./solve.ts";
export { prepare, type Task } from "./task.ts";
export type { FitResult, Method, MethodOptions } from "./types.ts";
