export { type Approximation, approximations, polynomials, SUBSTITUTES } from "./approximations.ts";
export { type ArithmeticCodesOptions, addCodes, mulCodes, rescaleCodes, subCodes } from "./arithmetic-codes.ts";
export {
  type AttentionContextOptions,
  type AttentionWeightsOptions,
  attentionContext,
  attentionShares,
  attentionWeights,
} from "./attention-codes.ts";
export { CORDIC_FUNCTIONS, type CordicFunction, type CordicOptions, cordic, cordicBound } from "./cordic.ts";
export * from "./elementwise.ts";
export * from "./float-forms.ts";
export { type ErfOptions, type ExpOptions, iErf, iExp, iGelu } from "./i-bert.ts";
export {
  type IntegerLayerNormOptions,
  type IntegerSoftmaxOptions,
  iLayerNorm,
  iSoftmax,
  iSqrt,
} from "./i-bert-rows.ts";
export * from "./layer-for.ts";
export * from "./norm.ts";
export {
  layerNormCodes,
  type NormCodesOptions,
  type NormParameters,
  normParameters,
  rmsNormCodes,
} from "./norm-codes.ts";
export { onFloats } from "./on-floats.ts";
export { type PolynomialOptions, polynomial } from "./polynomial.ts";
export {
  longestWith,
  type PlannedRescaling,
  planRescaling,
  type RequantizeOptions,
  type RequantizeResidualOptions,
  type Rescaling,
  type RescalingOptions,
  requantize,
  requantizeResidual,
} from "./requantize.ts";
export {
  eitherFlag,
  floatQuotient,
  type MeanCodesOptions,
  meanCodes,
  type QuotientOptions,
  selectCodes,
} from "./row-codes.ts";
export * from "./softermax.ts";
export * from "./softmax.ts";
export { type SoftmaxCodesOptions, softmaxCodes, softmaxWeights } from "./softmax-codes.ts";
export { softmaxWideCodes } from "./softmax-wide-codes.ts";
