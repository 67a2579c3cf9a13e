// Approximations by a formula in binary32, one operation at a time: i-GELU and i-exp as I-BERT's polynomials, and h-GELU.

import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { BINARY32, type Interval, MAX_BINARY32 } from "../num/index.ts";
import { ERF, EXP, OCTAVES } from "./i-bert.ts";

const LINE: Interval = { lo: -MAX_BINARY32, hi: MAX_BINARY32 };

/** i-erf's polynomial (Kim et al. 2021, equation 8) in binary32. L jumps by 0.19 at 0: L(0) is 0, L(0+) 0.096. */
export function iErfFloat(): Kernel {
  const build = new KernelBuilder();
  return finish(build, "erf", LINE, erf(build, build.param("x", "element")));
}

/** i-GELU's polynomial, x / 2 (1 + L(x / sqrt 2)), in binary32. On [-4, 4): mean square error 6.7e-5, largest error 1.8e-2. */
export function iGeluFloat(): Kernel {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const half = build.binary("mul", x, build.constant(0.5));
  const sum = build.binary("add", build.constant(1), erf(build, build.binary("mul", x, build.constant(Math.SQRT1_2))));
  return finish(build, "gelu", LINE, build.binary("mul", half, sum));
}

/** sgn(x) [a (min(|x|, -b) + b)^2 + 1] */
function erf(build: KernelBuilder, x: number): number {
  const zero = build.constant(0);
  const size = build.binary("max", x, build.binary("sub", zero, x));
  const short = build.binary("add", build.binary("min", size, build.constant(-ERF.b)), build.constant(ERF.b));
  const square = build.binary("mul", build.binary("mul", short, short), build.constant(ERF.a));
  const positive = build.binary("add", square, build.constant(1));
  const signed = build.select(x, zero, build.binary("sub", zero, positive), positive);
  return build.select(zero, size, signed, zero);
}

/**
 * i-exp's polynomial in binary32, for x <= 0: z = floor(x / -ln 2), exp = (a r^2 + b r + 1) 2^-z with r = x + z ln 2, ln 2 as the public
 * code's 0.6931, z at most 30. On [-16, 0]: largest error 1.9e-3, largest relative error 3.8e-3.
 */
export function iExpFloat(): Kernel {
  const build = new KernelBuilder();
  const x = build.binary("max", build.param("x", "element"), build.constant(-OCTAVES * EXP.ln2));
  const real = build.cast(build.binary("div", x, build.constant(-EXP.ln2)), "i32", "floor");
  const octave = build.binary("min", build.binary("max", real, build.integer(0)), build.integer(OCTAVES));
  const whole = build.binary("mul", build.cast(octave, "f32"), build.constant(EXP.ln2));
  const r = build.binary("add", x, whole);
  const line = build.binary("add", build.binary("mul", r, build.constant(EXP.a)), build.constant(EXP.b));
  const y = build.binary("add", build.binary("mul", line, r), build.constant(1));
  return finish(build, "exp", { lo: -MAX_BINARY32, hi: 0 }, build.shiftRight(y, octave));
}

/** h-GELU (Kim et al. 2021, section 3.4): x ReLU6(1.702 x + 3) / 6 in binary32. */
export function hGelu(): Kernel {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const ramp = build.binary("add", build.binary("mul", x, build.constant(1.702)), build.constant(3));
  const relu6 = build.binary("min", build.binary("max", ramp, build.constant(0)), build.constant(6));
  return finish(build, "gelu", LINE, build.binary("div", build.binary("mul", x, relu6), build.constant(6)));
}

function finish(build: KernelBuilder, fn: string, domain: Interval, result: number): Kernel {
  return build.finish({ fn, domain, input: BINARY32, output: BINARY32 }, result);
}
