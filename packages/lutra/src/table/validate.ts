// Reads a Table from untrusted JSON: every field checked, the place of the first fault named. What passes, evaluate() accepts.

import type { Json } from "../base/index.ts";
import { checkFormat, codeRange, type Format, type Interval } from "../num/index.ts";
import { atScale } from "./evaluate.ts";
import { asArray, asBinary32, asInteger, asNumber, asNumbers, asObject, asOneOf, fault } from "./fields.ts";
import type { Reduction, Rounding, ScaleVariant, Spec, Table } from "./types.ts";
import { checkIndex, parseIndex } from "./validate-index.ts";

/** Limit on segments, so that a hostile file cannot exhaust memory further down: every 16-bit code its own segment. */
export const MAX_SEGMENTS = 65536;

/** A symmetry and a reduction that covers the line: more would only hide inputs from each other. */
const MAX_REDUCTIONS = 2;

/** Longest text of a function. */
const MAX_FUNCTION_TEXT = 10000;

/** What says that JSON is a table file of `lutra fit`, with the table inside. */
const FILE_FORMAT = "lutra-table";

/**
 * A Table from parsed JSON (see base fromJson): of the table itself, or of a file that `lutra fit` wrote.
 * @throws LutraError "bad-table" with the place, as in "coefficients[1][3]"
 */
export function parseTable(json: Json): Table {
  const given = asObject(json, "table");
  const members = given.format === FILE_FORMAT ? asObject(given.table ?? null, "table") : given;
  const spec = parseSpec(members.spec ?? null, "spec");
  const table: Table = {
    spec,
    reductions: asArray(members.reductions ?? [], "reductions").map((r, i) => parseReduction(r, `reductions[${i}]`)),
    clamp: parseClamp(members.clamp ?? null, "clamp"),
    index: parseIndex(members.index ?? null, "index"),
    coefficients: asArray(members.coefficients ?? null, "coefficients").map((column, d) =>
      asNumbers(column, `coefficients[${d}]`),
    ),
    shift: asInteger(members.shift ?? 0, "shift", 0, 62),
    rounding: asOneOf(members.rounding ?? "half-even", "rounding", ["floor", "half-up", "half-even"]) as Rounding,
    ...(members.entries === undefined ? {} : { entries: parseEntries(members.entries) }),
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
  checkIndex(table.index, intercepts.length, table.spec.input, table.scales !== undefined);
  if (!(table.clamp[0] <= table.clamp[1])) throw fault("clamp", "low must not exceed high");
  if ((table.spec.input.kind === "integer") !== (table.spec.output.kind === "integer")) {
    throw fault("spec", "input and output must both be integer formats or both be float formats");
  }
  if (table.reductions.length > MAX_REDUCTIONS) {
    throw fault("reductions", `at most ${MAX_REDUCTIONS}, got ${table.reductions.length}`);
  }
  if (table.entries !== undefined && table.entries.count < intercepts.length) {
    throw fault("entries.count", `${intercepts.length} lines cannot interpolate ${table.entries.count} entries`);
  }
  if (table.spec.input.kind === "integer") checkInteger(table);
  else checkFloat(table);
  table.scales?.forEach((scale, i) => {
    if (scale.input.kind !== "integer") throw fault(`scales[${i}].input`, "a shared table has integer inputs");
    if (!(scale.clamp[0] <= scale.clamp[1])) throw fault(`scales[${i}].clamp`, "low must not exceed high");
    checkIndex(scale.index, intercepts.length, scale.input, true);
    checkTable(atScale(table, i));
  });
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

// fields --------------------------------------------------------------------------------------------------------------

/** @throws LutraError "bad-table" with the place */
export function parseSpec(json: Json, where: string): Spec {
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

function parseClamp(json: Json, where: string): readonly [number, number] {
  const [low, high, ...rest] = asNumbers(json, where);
  if (low === undefined || high === undefined || rest.length > 0) throw fault(where, "needs [low, high]");
  return [low, high];
}

function parseEntries(json: Json): NonNullable<Table["entries"]> {
  const members = asObject(json, "entries");
  return {
    count: asInteger(members.count ?? null, "entries.count", 1, 2 * MAX_SEGMENTS),
    bits: asInteger(members.bits ?? null, "entries.bits", 2, 32),
  };
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
      clamp: parseClamp(members.clamp ?? null, `${where}.clamp`),
      index: parseIndex(members.index ?? null, `${where}.index`),
      interceptShift: asInteger(members.interceptShift ?? null, `${where}.interceptShift`, 0, 31),
      shift: asInteger(members.shift ?? null, `${where}.shift`, 0, 62),
    };
  });
}
