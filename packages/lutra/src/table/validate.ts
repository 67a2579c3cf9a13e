// Reads a Table from untrusted JSON: every field checked, the place of the first fault named. What passes, evaluate() accepts.

import { type Json, LutraError } from "../base/index.ts";
import { checkFormat, codeRange, exponentOf, type Format, type Interval, powerOfTwo } from "../num/index.ts";
import { atScale } from "./evaluate.ts";
import type { Index, Reduction, Rounding, ScaleVariant, Spec, Table } from "./types.ts";

/** Limit on segments, so that a hostile file cannot exhaust memory further down: every 16-bit code its own segment. */
export const MAX_SEGMENTS = 65536;

/** A symmetry and a reduction that covers the line: more would only hide inputs from each other. */
const MAX_REDUCTIONS = 2;

/** Longest text of a function. */
const MAX_FUNCTION_TEXT = 10000;

type Members = { readonly [key: string]: Json };

/**
 * A Table from parsed JSON (see base fromJson).
 * @throws LutraError "bad-table" with the place, as in "coefficients[1][3]"
 */
export function parseTable(json: Json): Table {
  const members = asObject(json, "table");
  const spec = parseSpec(members.spec ?? null, "spec");
  const table: Table = {
    spec,
    reductions: asArray(members.reductions ?? [], "reductions").map((r, i) => parseReduction(r, `reductions[${i}]`)),
    clamp: parseClamp(members.clamp ?? null),
    index: parseIndex(members.index ?? null, "index"),
    coefficients: asArray(members.coefficients ?? null, "coefficients").map((column, d) =>
      asNumbers(column, `coefficients[${d}]`),
    ),
    shift: asInteger(members.shift ?? 0, "shift", 0, 62),
    rounding: asOneOf(members.rounding ?? "half-even", "rounding", ["floor", "half-up", "half-even"]) as Rounding,
    ...(members.scales === undefined ? {} : { scales: parseScales(members.scales) }),
  };
  checkTable(table);
  return table;
}

/** The rules a table keeps beyond its fields' types. @throws LutraError "bad-table" */
export function checkTable(table: Table): void {
  const [intercepts, slopes, ...higher] = table.coefficients;
  if (intercepts === undefined || intercepts.length === 0)
    throw fault("coefficients", "a table needs at least one segment");
  if (intercepts.length > MAX_SEGMENTS) throw fault("coefficients", `more than ${MAX_SEGMENTS} segments`);
  if (higher.length > 0) throw fault("coefficients", "only degree 0 and 1 are supported");
  if (slopes !== undefined && slopes.length !== intercepts.length) {
    throw fault("coefficients[1]", `needs ${intercepts.length} slopes, has ${slopes.length}`);
  }
  checkIndex(table.index, intercepts.length, table.spec.input);
  if (!(table.clamp[0] <= table.clamp[1])) throw fault("clamp", "low must not exceed high");
  if ((table.spec.input.kind === "integer") !== (table.spec.output.kind === "integer")) {
    throw fault("spec", "input and output must both be integer formats or both be float formats");
  }
  if (table.reductions.length > MAX_REDUCTIONS) {
    throw fault("reductions", `at most ${MAX_REDUCTIONS}, got ${table.reductions.length}`);
  }
  if (table.spec.input.kind === "integer") checkInteger(table);
  else checkFloat(table);
  table.scales?.forEach((scale, i) => {
    if (scale.input.kind !== "integer") throw fault(`scales[${i}].input`, "a shared table has integer inputs");
    checkTable(atScale(table, i));
  });
}

function checkIndex(index: Index, segments: number, input: Format): void {
  const isInteger = input.kind === "integer";
  if (index.rule === "breakpoints") {
    if (index.codes.length !== segments - 1) {
      throw fault(
        "index.codes",
        `${segments} segments need ${segments - 1} breakpoints, there are ${index.codes.length}`,
      );
    }
    index.codes.forEach((code, i) => {
      if (i > 0 && !((index.codes[i - 1] as number) < code)) {
        throw fault(`index.codes[${i}]`, "breakpoints must be strictly increasing");
      }
      if (isInteger ? !Number.isInteger(code) : Math.fround(code) !== code) {
        throw fault(`index.codes[${i}]`, `${code} is not a code of the input format`);
      }
    });
  } else if (index.rule === "uniform") {
    if (!isPowerOfTwo(index.width)) throw fault("index.width", `must be a power of two, got ${index.width}`);
    if (isInteger && index.width < 1) throw fault("index.width", "must be at least one code");
  } else if (index.rule === "float-bits" && isInteger) {
    throw fault("index.rule", "float-bits needs a float input format");
  } else if (index.rule === "direct" && !isInteger) {
    throw fault("index.rule", "direct needs integer codes");
  }
}

/** Products and sums of an integer table must stay below 2^53, where doubles are exact. */
function checkInteger(table: Table): void {
  const { lo, hi } = codeRange(table.spec.input);
  const largestCode = Math.max(Math.abs(lo), Math.abs(hi));
  table.coefficients.forEach((column, d) => {
    column.forEach((c, i) => {
      if (!Number.isInteger(c)) throw fault(`coefficients[${d}][${i}]`, `integer tables need integers, got ${c}`);
      if (Math.abs(c) * (d === 0 ? 1 : largestCode) >= 2 ** 52) throw fault(`coefficients[${d}][${i}]`, "overflows");
    });
  });
  const [first, ...more] = table.reductions;
  if (more.length > 0 || (first !== undefined && first.by !== "odd" && first.by !== "even")) {
    throw fault("reductions", "an integer table can be odd or even, nothing else");
  }
  if (first !== undefined && table.spec.input.kind === "integer" && table.spec.input.zeroPoint !== 0) {
    throw fault("reductions", "odd and even need the zero point 0");
  }
}

function checkFloat(table: Table): void {
  table.coefficients.forEach((column, d) => {
    column.forEach((c, i) => {
      if (Math.fround(c) !== c) throw fault(`coefficients[${d}][${i}]`, `${c} is not a binary32 value`);
    });
  });
  if (table.shift !== 0) throw fault("shift", "a float table has no shift");
}

function isPowerOfTwo(x: number): boolean {
  return x > 0 && Number.isFinite(x) && x === powerOfTwo(exponentOf(x));
}

// fields --------------------------------------------------------------------------------------------------------------

function parseSpec(json: Json, where: string): Spec {
  const members = asObject(json, where);
  const fn = members.fn;
  if (typeof fn !== "string" || fn === "" || fn.length > MAX_FUNCTION_TEXT)
    throw fault(`${where}.fn`, "needs a function");
  return {
    fn,
    domain: parseInterval(members.domain ?? null, `${where}.domain`),
    input: parseFormatObject(members.input ?? null, `${where}.input`),
    output: parseFormatObject(members.output ?? null, `${where}.output`),
    ...(members.maxRow === undefined ? {} : { maxRow: asInteger(members.maxRow, `${where}.maxRow`, 1, 2 ** 31) }),
  };
}

function parseInterval(json: Json, where: string): Interval {
  const members = asObject(json, where);
  const lo = asNumber(members.lo ?? null, `${where}.lo`);
  const hi = asNumber(members.hi ?? null, `${where}.hi`);
  if (!(lo <= hi)) throw fault(where, `lo ${lo} exceeds hi ${hi}`);
  return { lo, hi };
}

function parseFormatObject(json: Json, where: string): Format {
  const members = asObject(json, where);
  const kind = asOneOf(members.kind ?? null, `${where}.kind`, ["integer", "float"]);
  const format: Format =
    kind === "float"
      ? { kind, name: asOneOf(members.name ?? null, `${where}.name`, ["binary32", "binary16", "bfloat16"]) }
      : {
          kind,
          signed: members.signed === true,
          bits: asNumber(members.bits ?? null, `${where}.bits`),
          scale: asNumber(members.scale ?? null, `${where}.scale`),
          zeroPoint: asNumber(members.zeroPoint ?? null, `${where}.zeroPoint`),
        };
  try {
    checkFormat(format);
  } catch (cause) {
    throw fault(where, cause instanceof Error ? cause.message : "bad format");
  }
  return format;
}

function parseClamp(json: Json): readonly [number, number] {
  const [low, high, ...rest] = asNumbers(json, "clamp");
  if (low === undefined || high === undefined || rest.length > 0) throw fault("clamp", "needs [low, high]");
  return [low, high];
}

function parseIndex(json: Json, where: string): Index {
  const members = asObject(json, where);
  const rule = asOneOf(members.rule ?? null, `${where}.rule`, ["direct", "uniform", "breakpoints", "float-bits"]);
  switch (rule) {
    case "breakpoints":
      return { rule, codes: asNumbers(members.codes ?? null, `${where}.codes`) };
    case "direct":
      return { rule, first: asInteger(members.first ?? null, `${where}.first`, -(2 ** 32), 2 ** 32) };
    case "uniform": {
      const first = asNumber(members.first ?? null, `${where}.first`);
      return { rule, first, width: asNumber(members.width ?? null, `${where}.width`) };
    }
    case "float-bits": {
      const first = asInteger(members.first ?? null, `${where}.first`, -(2 ** 32), 2 ** 32);
      return { rule, first, shift: asInteger(members.shift ?? null, `${where}.shift`, 0, 31) };
    }
    default:
      return rule satisfies never;
  }
}

function parseReduction(json: Json, where: string): Reduction {
  const members = asObject(json, where);
  const names = ["odd", "even", "reflect", "complement", "octave", "logarithm", "exponential"] as const;
  const by = asOneOf(members.by ?? null, `${where}.by`, names);
  switch (by) {
    case "octave": {
      const power = asInteger(members.power ?? null, `${where}.power`, -1, 1);
      const step = asInteger(members.step ?? null, `${where}.step`, 1, 2);
      if (power === 0) throw fault(`${where}.power`, "must be -1 or 1");
      return { by, step: step === 1 ? 1 : 2, power: power === 1 ? 1 : -1 };
    }
    case "logarithm":
      return { by, perOctave: asBinary32(members.perOctave ?? null, `${where}.perOctave`) };
    case "exponential": {
      const factor = asBinary32(members.factor ?? null, `${where}.factor`);
      if (factor === 0) throw fault(`${where}.factor`, "must not be 0");
      return { by, factor };
    }
    default:
      return { by };
  }
}

function parseScales(json: Json): readonly ScaleVariant[] {
  return asArray(json, "scales").map((scale, i) => {
    const where = `scales[${i}]`;
    const members = asObject(scale, where);
    return {
      input: parseFormatObject(members.input ?? null, `${where}.input`),
      index: parseIndex(members.index ?? null, `${where}.index`),
      interceptShift: asInteger(members.interceptShift ?? null, `${where}.interceptShift`, 0, 31),
      shift: asInteger(members.shift ?? null, `${where}.shift`, 0, 62),
    };
  });
}

// JSON values ---------------------------------------------------------------------------------------------------------

function asObject(json: Json, where: string): Members {
  if (json === null || typeof json !== "object" || Array.isArray(json)) throw fault(where, "must be an object");
  return json as Members;
}

function asArray(json: Json, where: string): readonly Json[] {
  if (!Array.isArray(json)) throw fault(where, "must be an array");
  return json;
}

function asNumber(json: Json, where: string): number {
  if (typeof json !== "number") throw fault(where, "must be a number");
  return json;
}

function asBinary32(json: Json, where: string): number {
  const x = asNumber(json, where);
  if (Math.fround(x) !== x || !Number.isFinite(x)) throw fault(where, `${x} is not a finite binary32 value`);
  return x;
}

function asInteger(json: Json, where: string, lo: number, hi: number): number {
  const x = asNumber(json, where);
  if (!Number.isInteger(x) || x < lo || x > hi) throw fault(where, `must be an integer from ${lo} to ${hi}, got ${x}`);
  return x;
}

function asNumbers(json: Json, where: string): readonly number[] {
  return asArray(json, where).map((x, i) => asNumber(x, `${where}[${i}]`));
}

function asOneOf<const T extends string>(json: Json, where: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === json);
  if (found === undefined) throw fault(where, `must be one of ${allowed.join(", ")}`);
  return found;
}

function fault(where: string, message: string): LutraError {
  return new LutraError("bad-table", `not a valid table: ${message}`, { where });
}
