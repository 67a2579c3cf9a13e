// Fields of a table in untrusted JSON: errors say that it is no valid table, and where.

import { type Fields, fields, type Json, type LutraError, type Members } from "../base/index.ts";

const TABLE: Fields = fields("bad-table", "not a valid table");

export const asObject = (json: Json, where: string): Members => TABLE.object(json, where);
export const asArray = (json: Json, where: string): readonly Json[] => TABLE.array(json, where);
export const asNumber = (json: Json, where: string): number => TABLE.number(json, where);
export const asInteger: Fields["integer"] = TABLE.integer;
export const asNumbers: Fields["numbers"] = TABLE.numbers;
export const asOneOf: Fields["oneOf"] = TABLE.oneOf;

export function asBinary32(json: Json, where: string): number {
  const x = asNumber(json, where);
  if (Math.fround(x) !== x || !Number.isFinite(x)) throw fault(where, `${x} is not a finite binary32 value`);
  return x;
}

export function fault(where: string, message: string): LutraError {
  return TABLE.fault(where, message);
}
