export { axesOver } from "./align.ts";
export { type Facts, factsOf } from "./facts.ts";
export { moduleIn, readProgram, writeProgram } from "./file.ts";
export { extentsOf, inputCodes } from "./inputs.ts";
export { type InterpretOptions, interpret } from "./interpret.ts";
export {
  decodeCodes,
  decodeOutputs,
  encodeInputs,
  encodeNumbers,
  nanFault,
  reciprocalsOf,
  scalesOf,
} from "./numbers.ts";
export * from "./places.ts";
export * from "./polynomial.ts";
export { interpreterSession } from "./session.ts";
export { shareKernels } from "./share.ts";
export { type Extents, shapeIn, sizeIn } from "./sizes.ts";
export { tensorsRead, tensorsWritten } from "./step-tensors.ts";
export type * from "./types.ts";
export { verify } from "./verify.ts";
export { ACCUMULATOR } from "./verify-tiles.ts";
