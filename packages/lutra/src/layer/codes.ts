// What integer layers share: the formats that published methods are defined on, their requantization, and codes of a format.

import { LutraError } from "../base/index.ts";
import { type KernelBuilder, laneOf, laneRange } from "../kernel/index.ts";
import { codeRange, exponentOf, type Format, type IntegerFormat, powerOfTwo, printFormat } from "../num/index.ts";

/** A value of a kernel under construction, and the scale of its codes. */
export interface Codes {
  readonly codes: number;
  readonly scale: number;
}

/** The format itself. @throws LutraError "unsupported" unless it is an integer format with zero point 0 */
export function symmetric(method: string, format: Format): IntegerFormat {
  if (format.kind === "integer" && format.zeroPoint === 0) return format;
  throw refuse(method, format, "it is defined on integer codes with zero point 0");
}

export function refuse(method: string, format: Format, why: string): LutraError {
  return new LutraError("unsupported", `${method} cannot take ${printFormat(format)}: ${why}`);
}

/**
 * The dyadic number multiplier / 2^shift nearest to a ratio of scales, with a multiplier of 31 bits (2^30 to 2^31), ties away from 0: as
 * HAWQ-V3 and I-BERT requantize (batch_frexp).
 */
export function requantizer(ratio: number): { readonly multiplier: number; readonly shift: number } {
  const exponent = exponentOf(ratio) + 1;
  return { multiplier: Math.floor(ratio * powerOfTwo(31 - exponent) + 0.5), shift: 31 - exponent };
}

/** The format itself, and its fraction bits. @throws LutraError "unsupported" unless its scale is 2^-0 to 2^-26 and its zero point 0 */
export function fixedPoint(
  method: string,
  format: Format,
): { readonly format: IntegerFormat; readonly fraction: number } {
  const plain = symmetric(method, format);
  const fraction = -exponentOf(plain.scale);
  if (plain.scale === powerOfTwo(-fraction) && fraction >= 0 && fraction <= 26) return { format: plain, fraction };
  throw refuse(method, format, "it is fixed point with 0 to 26 fraction bits");
}

/** Integers as codes of a format: its zero point added, saturated to its codes. */
export function toCodes(build: KernelBuilder, i: number, format: IntegerFormat): number {
  const wide = build.laneAt(i);
  const lane = laneOf(format);
  const { lo, hi } = codeRange(format);
  const whole = laneRange(lane);
  const centred = format.zeroPoint === 0 ? i : build.binary("add", i, build.integer(format.zeroPoint, wide));
  if (whole?.lo === lo && whole.hi === hi) return build.cast(centred, lane);
  const raised = build.binary("max", centred, build.integer(lo, wide));
  return build.cast(build.binary("min", raised, build.integer(hi, wide)), lane);
}
