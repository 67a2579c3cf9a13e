// Values of untrusted JSON, by type, with the place in the error. What they mean together is for the callers to say.

import { type Json, LutraError } from "../base/index.ts";

type Members = { readonly [key: string]: Json };

export function asObject(json: Json, where: string): Members {
  if (json === null || typeof json !== "object" || Array.isArray(json)) throw fault(where, "must be an object");
  return json as Members;
}

export function asArray(json: Json, where: string): readonly Json[] {
  if (!Array.isArray(json)) throw fault(where, "must be an array");
  return json;
}

export function asNumber(json: Json, where: string): number {
  if (typeof json !== "number") throw fault(where, "must be a number");
  return json;
}

export function asBinary32(json: Json, where: string): number {
  const x = asNumber(json, where);
  if (Math.fround(x) !== x || !Number.isFinite(x)) throw fault(where, `${x} is not a finite binary32 value`);
  return x;
}

export function asInteger(json: Json, where: string, lo: number, hi: number): number {
  const x = asNumber(json, where);
  if (!Number.isInteger(x) || x < lo || x > hi) throw fault(where, `must be an integer from ${lo} to ${hi}, got ${x}`);
  return x;
}

export function asNumbers(json: Json, where: string): readonly number[] {
  return asArray(json, where).map((x, i) => asNumber(x, `${where}[${i}]`));
}

export function asOneOf<const T extends string>(json: Json, where: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === json);
  if (found === undefined) throw fault(where, `must be one of ${allowed.join(", ")}`);
  return found;
}

export function fault(where: string, message: string): LutraError {
  return new LutraError("bad-table", `not a valid table: ${message}`, { where });
}
