// One function of one element: a single lookup.

import { type Kernel, KernelBuilder, laneOf } from "../kernel/index.ts";
import type { Spec } from "../table/index.ts";

/** y = f(x), with the hole "f". Any formats: codes in, codes out. */
export function elementwise(spec: Spec): Kernel {
  const build = new KernelBuilder();
  const x = build.param("x", "element", laneOf(spec.input));
  return build.finish(spec, build.lookup("f", spec, x));
}
