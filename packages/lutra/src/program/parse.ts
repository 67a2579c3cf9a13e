// Reads a Program without its constants from untrusted JSON: every field checked, the place of the first fault named. `verify` then judges
// what the fields mean together.

import { type Fields, fields, type Json, LutraError, type Members } from "../base/index.ts";
import { type Kernel, parseKernel } from "../kernel/index.ts";
import { TENSOR_LANES } from "./lanes.ts";
import { product, sizeIn } from "./sizes.ts";
import type { Block, NamedSize, Part, Program, Quantization, Size, Step, TensorType, Walk } from "./types.ts";
import { isName, MOST_ZERO_POINT } from "./verify-declarations.ts";

export const PROGRAM: Fields = fields("bad-model", "not a valid program");

const OPS = ["product", "kernel", "gather", "move", "reshape", "count", "argmax", "exit"] as const;
const MOST_AXES = 16;
const MOST_NESTING = 8;
const MOST_ARGS = 64;
const MOST_EXTENT = 2 ** 31;

/**
 * @param kernels that steps name by number
 * @throws LutraError "bad-model" with the place, as in "blocks[0].steps[3].results[2]"
 */
export function parseProgram(json: Json, kernels: readonly Kernel[]): Omit<Program, "constants"> {
  const members = PROGRAM.object(json, "program");
  return {
    sizes: PROGRAM.array(members.sizes, "sizes").map((size, i) => parseNamedSize(size, `sizes[${i}]`)),
    tensors: record(members.tensors, "tensors", parseTensorType),
    inputs: PROGRAM.texts(members.inputs, "inputs"),
    outputs: record(members.outputs, "outputs", PROGRAM.text),
    states: PROGRAM.texts(members.states, "states"),
    blocks: PROGRAM.array(members.blocks, "blocks").map((block, i) => parseBlock(block, `blocks[${i}]`, kernels)),
  };
}

/** Names that JavaScript's objects have of their own are no names of a program. */
function record<T>(
  json: Json | undefined,
  where: string,
  parse: (json: Json, where: string) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(PROGRAM.object(json, where)).map(([name, value]) => {
    if (!isName(name)) throw PROGRAM.fault(where, `${name} is no name`);
    return [name, parse(value, `${where}.${name}`)] as const;
  });
  return Object.fromEntries(entries);
}

function parseNamedSize(json: Json, where: string): NamedSize {
  const members = PROGRAM.object(json, where);
  const least = PROGRAM.integer(members.least, `${where}.least`, 0, MOST_EXTENT);
  const most = PROGRAM.integer(members.most, `${where}.most`, least, MOST_EXTENT);
  return { name: PROGRAM.text(members.name, `${where}.name`), least, most };
}

function parseTensorType(json: Json, where: string): TensorType {
  const members = PROGRAM.object(json, where);
  const [lo, hi, ...others] = members.range === undefined ? [] : PROGRAM.numbers(members.range, `${where}.range`);
  if (members.range !== undefined && (lo === undefined || hi === undefined || others.length > 0)) {
    throw PROGRAM.fault(`${where}.range`, "must be two numbers");
  }
  return {
    lane: PROGRAM.oneOf(members.lane, `${where}.lane`, TENSOR_LANES),
    shape: parseCounted(members.shape, `${where}.shape`),
    ...(lo === undefined || hi === undefined ? {} : { range: [lo, hi] as const }),
    ...(members.quantization === undefined
      ? {}
      : { quantization: parseQuantization(members.quantization, `${where}.quantization`) }),
  };
}

function parseQuantization(json: Json, where: string): Quantization {
  const { scale, zeroPoint } = PROGRAM.object(json, where);
  const scales = Array.isArray(scale)
    ? PROGRAM.numbers(scale, `${where}.scale`)
    : [PROGRAM.number(scale, `${where}.scale`)];
  if (!scales.every((s) => s > 0 && s < Infinity)) throw PROGRAM.fault(`${where}.scale`, "must be positive and finite");
  const origin = PROGRAM.integer(zeroPoint, `${where}.zeroPoint`, -MOST_ZERO_POINT, MOST_ZERO_POINT);
  return { scale: Array.isArray(scale) ? scales : (scales[0] as number), zeroPoint: origin };
}

/** A shape in numbers, which a constant may have, has a count of elements. */
function parseCounted(json: Json | undefined, where: string): readonly Size[] {
  const shape = parseShape(json, where);
  try {
    if (shape.every((size) => typeof size === "number")) sizeIn(product(shape), {});
  } catch (error) {
    throw error instanceof RangeError ? PROGRAM.fault(where, error.message) : error;
  }
  return shape;
}

function parseShape(json: Json | undefined, where: string): readonly Size[] {
  const shape = PROGRAM.array(json, where);
  if (shape.length > MOST_AXES) throw PROGRAM.fault(where, `at most ${MOST_AXES} axes, got ${shape.length}`);
  return shape.map((size, i) => parseSize(size, `${where}[${i}]`));
}

function parseSize(json: Json | undefined, where: string, depth = 0): Size {
  if (typeof json === "string") return json;
  if (typeof json === "number") return PROGRAM.integer(json, where, 0, MOST_EXTENT);
  if (depth >= MOST_NESTING) throw PROGRAM.fault(where, `sizes nest at most ${MOST_NESTING} deep`);
  const members = PROGRAM.object(json, where);
  const args = PROGRAM.array(members.args, `${where}.args`);
  if (args.length > MOST_ARGS) throw PROGRAM.fault(where, `at most ${MOST_ARGS} arguments, got ${args.length}`);
  return {
    op: PROGRAM.oneOf(members.op, `${where}.op`, ["add", "mul"]),
    args: args.map((arg, i) => parseSize(arg, `${where}.args[${i}]`, depth + 1)),
  };
}

function parseBlock(json: Json, where: string, kernels: readonly Kernel[]): Block {
  const members = PROGRAM.object(json, where);
  const steps = PROGRAM.array(members.steps, `${where}.steps`);
  return {
    name: PROGRAM.text(members.name, `${where}.name`),
    steps: steps.map((step, i) => {
      const at = `${where}.steps[${i}]`;
      return parseStep(PROGRAM.object(step, at), at, kernels);
    }),
  };
}

function parseStep(members: Members, where: string, kernels: readonly Kernel[]): Step {
  const op = PROGRAM.oneOf(members.op, `${where}.op`, OPS);
  const text = (name: string): string => PROGRAM.text(members[name], `${where}.${name}`);
  const tiled = () =>
    ({
      kernel: kernels[PROGRAM.integer(members.kernel, `${where}.kernel`, 0, kernels.length - 1)] as Kernel,
      arguments: record(members.arguments, `${where}.arguments`, PROGRAM.text),
      results: PROGRAM.texts(members.results, `${where}.results`),
    }) as const;
  switch (op) {
    case "product":
      return { op, a: text("a"), b: text("b"), isTransposed: members.isTransposed === true, ...tiled() };
    case "kernel":
      return { op, tile: parseShape(members.tile, `${where}.tile`), ...tiled() };
    case "gather":
      return { op, table: text("table"), ids: text("ids"), result: text("result") };
    case "move": {
      const parts = PROGRAM.array(members.parts, `${where}.parts`).map((part, i) =>
        parsePart(part, `${where}.parts[${i}]`),
      );
      return {
        op,
        parts,
        fill: PROGRAM.integer(members.fill, `${where}.fill`, -(2 ** 31), 2 ** 32),
        result: text("result"),
      };
    }
    case "reshape":
    case "argmax":
      return { op, input: text("input"), result: text("result") };
    case "count":
      return { op, result: text("result") };
    case "exit":
      return { op, when: text("when"), outputs: record(members.outputs, `${where}.outputs`, PROGRAM.text) };
    default:
      return op satisfies never;
  }
}

function parsePart(json: Json, where: string): Part {
  const members = PROGRAM.object(json, where);
  return {
    from: PROGRAM.text(members.from, `${where}.from`),
    box: parseShape(members.box, `${where}.box`),
    read: parseWalk(members.read, `${where}.read`),
    write: parseWalk(members.write, `${where}.write`),
  };
}

function parseWalk(json: Json | undefined, where: string): Walk {
  const members = PROGRAM.object(json, where);
  return {
    start: parseSize(members.start, `${where}.start`),
    strides: parseShape(members.strides, `${where}.strides`),
  };
}

/** @throws LutraError "bad-model" with the place, as in "kernels[3].values[2]" */
export function parseKernelAt(json: Json, where: string): Kernel {
  try {
    return parseKernel(json);
  } catch (error) {
    if (!(error instanceof LutraError)) throw error;
    throw PROGRAM.fault(`${where}.${error.where ?? ""}`, error.message);
  }
}
