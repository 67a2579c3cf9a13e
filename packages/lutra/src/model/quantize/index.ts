export { type ChosenScheme, chooseScheme, type ProgramTrial, type SchemeOptions, type Trials } from "./choose.ts";
export type { LayerReport } from "./layers.ts";
export {
  type CalibratedQuantizer,
  type QuantizedModel,
  type Quantizer,
  type QuantizerOptions,
  quantizer,
} from "./quantizer.ts";
export type { RangeMethod } from "./ranges.ts";
export type { Scheme } from "./scheme.ts";
export type { Choosable, ProgramChoice } from "./scheme-text.ts";
