// LayerNorm and RMSNorm of a row in binary32, around one table of 1/sqrt.

import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { BINARY32, MAX_BINARY32 } from "../num/index.ts";
import type { Spec } from "../table/index.ts";

export interface NormOptions {
  /** Added to the variance; positive, so that 1/sqrt never sees 0. */
  readonly epsilon: number;
  /** Whether there is a scale and a shift per column: params "gamma" and "beta". */
  readonly gamma: boolean;
  readonly beta: boolean;
  readonly maxRow: number;
}

/** LayerNorm (Ba et al. 2016): d * T_rsqrt(mean(d^2) + epsilon) [* gamma] [+ beta] with d = x - mean(x). Hole "rsqrt". */
export function layerNorm(options: NormOptions): Kernel {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const centred = build.binary("sub", x, build.reduce("mean", x));
  return finishNorm(build, centred, options, "layer-norm");
}

/** RMSNorm (Zhang and Sennrich 2019): x * T_rsqrt(mean(x^2) + epsilon) [* gamma] [+ beta]. Hole "rsqrt". */
export function rmsNorm(options: NormOptions): Kernel {
  const build = new KernelBuilder();
  return finishNorm(build, build.param("x", "element"), options, "rms-norm");
}

function finishNorm(build: KernelBuilder, centred: number, options: NormOptions, fn: string): Kernel {
  const { epsilon, maxRow } = options;
  if (!(epsilon > 0)) throw new RangeError(`epsilon must be positive, got ${epsilon}`);
  const meanSquare = build.reduce("mean", build.binary("mul", centred, centred));
  const rsqrt: Spec = {
    fn: "rsqrt",
    domain: { lo: Math.fround(epsilon), hi: MAX_BINARY32 },
    input: BINARY32,
    output: BINARY32,
  };
  const scale = build.lookup("rsqrt", rsqrt, build.binary("add", meanSquare, build.constant(epsilon)));
  let y = build.binary("mul", centred, scale);
  if (options.gamma) y = build.binary("mul", y, build.param("gamma", "column"));
  if (options.beta) y = build.binary("add", y, build.param("beta", "column"));
  const domain = { lo: -MAX_BINARY32, hi: MAX_BINARY32 };
  return build.finish({ fn, domain, input: BINARY32, output: BINARY32, maxRow }, y);
}
