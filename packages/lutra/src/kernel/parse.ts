// Reads a Kernel from untrusted JSON: every field checked and then its rules, the place of the first fault named. What passes, interpret
// accepts once its holes are filled.

import { type Fields, fields, type Json, LutraError, type Members } from "../base/index.ts";
import { parseSpec, parseTable, type Rounding } from "../table/index.ts";
import type { Kernel, Lane, Op, Over, Value } from "./types.ts";
import { verify } from "./verify.ts";

const MOST_VALUES = 65536;
const LANES = ["f32", "i8", "u8", "i16", "u16", "i32", "u32", "i64"] as const;
const OVERS = ["one", "row", "column", "element"] as const;
const ROUNDINGS = ["floor", "half-up", "half-even"] as const;
const BINARY = ["add", "sub", "mul", "min", "max"] as const;
const OPS = [
  ...BINARY,
  ...(["param", "const", "div", "shift-left", "shift-right", "bits", "cast", "select", "reduce", "lookup"] as const),
] as const;

const KERNEL: Fields = fields("bad-argument", "not a valid kernel");

/** @throws LutraError "bad-argument" with the place, as in "values[3].args"; "bad-table" for the table of a lookup */
export function parseKernel(json: Json): Kernel {
  const members = KERNEL.object(json, "kernel");
  const values = KERNEL.array(members.values, "values");
  if (values.length > MOST_VALUES) throw KERNEL.fault("values", `at most ${MOST_VALUES}, got ${values.length}`);
  const kernel: Kernel = {
    spec: parseSpec(members.spec ?? null, "spec"),
    values: values.map((value, i) => parseValue(value, `values[${i}]`)),
    results: KERNEL.array(members.results, "results").map((at, i) =>
      KERNEL.integer(at, `results[${i}]`, 0, values.length - 1),
    ),
  };
  try {
    verify(kernel);
  } catch (cause) {
    throw KERNEL.fault("values", cause instanceof Error ? cause.message : "breaks a rule");
  }
  return kernel;
}

function parseValue(json: Json, where: string): Value {
  const members = KERNEL.object(json, where);
  const lane: Lane = KERNEL.oneOf(members.lane, `${where}.lane`, LANES);
  const over: Over = KERNEL.oneOf(members.over, `${where}.over`, OVERS);
  return { ...parseOp(members, where), lane, over };
}

function parseOp(members: Members, where: string): Op {
  const op = KERNEL.oneOf(members.op, `${where}.op`, OPS);
  const args = (count: number): number[] => parseArgs(members, where, count);
  const two = (): [number, number] => args(2) as [number, number];
  const one = (): [number] => args(1) as [number];
  switch (op) {
    case "param":
      return { op, name: KERNEL.text(members.name, `${where}.name`), ...rangeOf(members, where) };
    case "const":
      return { op, value: KERNEL.number(members.value, `${where}.value`) };
    case "div":
    case "shift-right":
      return { op, ...roundingOf(members, where), args: two() };
    case "bits":
      return { op, args: one() };
    case "cast":
      return { op, ...roundingOf(members, where), args: one() };
    case "select":
      return { op, args: args(4) as [number, number, number, number] };
    case "reduce": {
      const how = KERNEL.oneOf(members.with, `${where}.with`, ["add", "max", "mean"]);
      return { op, with: how, ...roundingOf(members, where), args: one() };
    }
    case "lookup":
      return {
        op,
        hole: KERNEL.text(members.hole, `${where}.hole`),
        spec: parseSpec(members.spec ?? null, `${where}.spec`),
        ...(members.table === undefined ? {} : { table: tableAt(members.table, `${where}.table`) }),
        args: one(),
      };
    default:
      return { op, args: two() };
  }
}

function parseArgs({ args }: Members, where: string, count: number): number[] {
  const given = KERNEL.array(args, `${where}.args`);
  if (given.length !== count) throw KERNEL.fault(`${where}.args`, `needs ${count}, got ${given.length}`);
  return given.map((arg, i) => KERNEL.integer(arg, `${where}.args[${i}]`, 0, MOST_VALUES));
}

function rangeOf({ range }: Members, where: string): { readonly range?: readonly [number, number] } {
  if (range === undefined) return {};
  const [lo, hi, ...rest] = KERNEL.numbers(range, `${where}.range`);
  if (lo === undefined || hi === undefined || rest.length > 0 || !(lo <= hi)) {
    throw KERNEL.fault(`${where}.range`, "needs [lo, hi]");
  }
  return { range: [lo, hi] };
}

function roundingOf({ rounding }: Members, where: string): { readonly rounding?: Rounding } {
  return rounding === undefined ? {} : { rounding: KERNEL.oneOf(rounding, `${where}.rounding`, ROUNDINGS) };
}

function tableAt(json: Json, where: string): ReturnType<typeof parseTable> {
  try {
    return parseTable(json);
  } catch (error) {
    if (!(error instanceof LutraError)) throw error;
    throw new LutraError(error.code, error.message, { where: `${where}.${error.where ?? ""}` });
  }
}
