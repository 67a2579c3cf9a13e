// The rules of what a program declares: names are distinct, sizes are bounded, shapes stay countable, promises are inside lanes, data fits.

import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import type { Facts } from "./facts.ts";
import { laneOfCodes, spanOf } from "./lanes.ts";
import { largest, namesIn, product } from "./sizes.ts";
import type { Codes, NamedSize, Program, Quantization, TensorType } from "./types.ts";

/** Of a zero point: binary32 holds all integers up to here. */
export const MOST_ZERO_POINT: number = 2 ** 24;

/** Names that JavaScript's objects have of their own are no names of a program: whoever looks one up in a record finds what is declared. */
export function isName(name: string): boolean {
  return !(name in Object.prototype);
}

/** @throws RangeError naming the size, the tensor or the output */
export function checkDeclarations(facts: Facts): void {
  const { sizes, tensors, inputs, outputs } = facts.program;
  const given = new Set(inputs.flatMap((name) => (Object.hasOwn(tensors, name) ? tensors[name]?.shape : []) ?? []));
  const declared = new Set<string>();
  for (const size of sizes) {
    const complaint = sizeComplaint(size, given) ?? (declared.has(size.name) ? " is declared twice" : null);
    if (complaint !== null) throw new RangeError(`size ${size.name}${complaint}`);
    declared.add(size.name);
  }
  for (const [name, type] of Object.entries(tensors)) {
    const complaint = typeComplaint(name, type, declared, facts);
    if (complaint !== null) throw new RangeError(`tensor ${name}: ${complaint}`);
  }
  checkRoles(facts.program);
  const unnamed = Object.keys(outputs).find((name) => !isName(name));
  if (unnamed !== undefined) throw new RangeError(`output ${unnamed}: ${unnamed} is no name`);
}

/** A polynomial's term has its names joined by "*": no name has one. */
function sizeComplaint({ name, least, most }: NamedSize, given: ReadonlySet<unknown>): string | null {
  if (!isName(name) || name === "" || name.includes("*")) return `: "${name}" is no name`;
  if (!given.has(name)) return ": no input has it as an axis of its own";
  const isBounded = Number.isSafeInteger(least) && Number.isSafeInteger(most) && 0 <= least && least <= most;
  return isBounded ? null : ` goes from ${least} to ${most}`;
}

function typeComplaint(name: string, type: TensorType, sizes: ReadonlySet<string>, facts: Facts): string | null {
  if (!isName(name)) return `${name} is no name`;
  const undeclared = type.shape.flatMap(namesIn).find((size) => !sizes.has(size));
  if (undeclared !== undefined) return `the size ${undeclared} is not declared`;
  const uncounted = countComplaint(name, facts);
  return uncounted ?? promiseComplaint(type) ?? quantizationComplaint(type.quantization, type.shape.at(-1));
}

/** Elements are counted exactly in every run. */
function countComplaint(name: string, facts: Facts): string | null {
  try {
    largest(facts.countOf(name), facts.program.sizes);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function promiseComplaint({ lane, range }: TensorType): string | null {
  if (range === undefined) return null;
  const [lo, hi] = range;
  const whole = laneRange(lane) as Interval;
  const isInside = Number.isInteger(lo) && Number.isInteger(hi) && whole.lo <= lo && lo <= hi && hi <= whole.hi;
  return isInside ? null : `no range of ${lane}: ${lo} to ${hi}`;
}

function quantizationComplaint(
  quantization: Quantization | undefined,
  last: TensorType["shape"][number] | undefined,
): string | null {
  if (quantization === undefined) return null;
  const { scale, zeroPoint } = quantization;
  if (!(Number.isInteger(zeroPoint) && Math.abs(zeroPoint) <= MOST_ZERO_POINT)) {
    return `a zero point is an integer up to ${MOST_ZERO_POINT} in size, got ${zeroPoint}`;
  }
  const scales = typeof scale === "number" ? [scale] : scale;
  if (!scales.every((one) => one > 0 && one < Infinity)) return "scales are positive and finite";
  return typeof scale === "number" || scale.length === last ? null : `${scale.length} scales for the last axis`;
}

/** A tensor is an input, a state, a constant, or what a step writes. */
function checkRoles({ tensors, constants, inputs, states }: Program): void {
  const fail = (name: string, complaint: string): never => {
    throw new RangeError(`tensor ${name}: ${complaint}`);
  };
  const seen = new Set<string>();
  for (const name of [...inputs, ...states, ...Object.keys(constants)]) {
    if (!Object.hasOwn(tensors, name)) fail(name, "is not declared");
    if (seen.has(name)) fail(name, "inputs, states and constants are different tensors");
    seen.add(name);
  }
  for (const name of [...states, ...Object.keys(constants)]) {
    if (tensors[name]?.shape.some((size) => typeof size !== "number")) fail(name, "its shape is in numbers");
  }
  for (const name of states) {
    const [lo, hi] = tensors[name]?.range ?? [0, 0];
    if (lo > 0 || hi < 0) fail(name, `a state is 0 at first, promised are ${lo} to ${hi}`);
  }
  for (const [name, codes] of Object.entries(constants)) {
    const complaint = dataComplaint(codes, tensors[name] as TensorType);
    if (complaint !== null) fail(name, complaint);
  }
}

function dataComplaint(codes: Codes, { lane, shape, range }: TensorType): string | null {
  const count = largest(product(shape), []);
  if (codes.length !== count) return `its shape has ${count} elements, its data ${codes.length}`;
  if (laneOfCodes(codes) !== lane) return `its data is ${laneOfCodes(codes)}, not ${lane}`;
  if (range === undefined) return null;
  const { lo, hi } = spanOf(codes);
  return lo >= range[0] && hi <= range[1] ? null : `holds ${lo} to ${hi}, promised are ${range[0]} to ${range[1]}`;
}
