export { comparedValues, compareTensors, type TensorComparison } from "./compare.ts";
export { type LayerReport, layerReports } from "./layers.ts";
export { migratable, weighedInputs } from "./migration.ts";
export { type Observed, observe } from "./observe.ts";
export { prepare } from "./prepare.ts";
export type { RangeMethod } from "./ranges.ts";
export { attentionsOf, type HeldTensor, type Lowered, lowerBy, type Scheme } from "./scheme.ts";
export { sizesOf } from "./sizes.ts";
