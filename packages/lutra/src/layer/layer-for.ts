// From a kind of layer, as found in a graph, to its kernel. The only place that knows which layer a kind's name means.

import type { Kernel } from "../kernel/index.ts";
import { BINARY32, type Format, type Interval } from "../num/index.ts";
import { elementwise } from "./elementwise.ts";
import { layerNorm, rmsNorm } from "./norm.ts";
import { logSoftmax, softmax } from "./softmax.ts";

export interface LayerDescription {
  /** "softmax", "log-softmax", "layer-norm", "rms-norm", or the text of an elementwise function. */
  readonly kind: string;
  /** Of the norms: data, then gamma, then beta where there are any. */
  readonly inputCount: number;
  /** Of the norms. */
  readonly epsilon?: number;
  /** Longest row the layer is meant for. */
  readonly maxRow: number;
  /** Where an elementwise function is defined. */
  readonly domain: Interval;
  /** Of an elementwise function from codes to codes; binary32 if absent. */
  readonly formats?: { readonly input: Format; readonly output: Format };
}

/** The layer's kernel, with holes. @throws RangeError if a norm has no positive epsilon */
export function layerFor({ kind, inputCount, epsilon, maxRow, domain, formats }: LayerDescription): Kernel {
  const norm = { epsilon: epsilon ?? Number.NaN, gamma: inputCount > 1, beta: inputCount > 2, maxRow };
  switch (kind) {
    case "softmax":
      return softmax(maxRow);
    case "log-softmax":
      return logSoftmax(maxRow);
    case "layer-norm":
      return layerNorm(norm);
    case "rms-norm":
      return rmsNorm(norm);
    default:
      return elementwise({ fn: kind, domain, ...(formats ?? { input: BINARY32, output: BINARY32 }) });
  }
}
