// Values of untrusted JSON, by type, with the place in the error. What they mean together is for the callers to say.

import { LutraError, type LutraErrorCode } from "./error.ts";
import type { Json } from "./json.ts";

export type Members = { readonly [key: string]: Json };

/** Readers that refuse a value of another type with one kind of error. `where` is the place: "coefficients[1][3]". */
export interface Fields {
  object(json: Json | undefined, where: string): Members;
  array(json: Json | undefined, where: string): readonly Json[];
  number(json: Json | undefined, where: string): number;
  integer(json: Json | undefined, where: string, lo: number, hi: number): number;
  numbers(json: Json | undefined, where: string): readonly number[];
  text(json: Json | undefined, where: string): string;
  texts(json: Json | undefined, where: string): readonly string[];
  oneOf<const T extends string>(json: Json | undefined, where: string, allowed: readonly T[]): T;
  fault(where: string, message: string): LutraError;
}

/** @param what how a message begins: "not a valid table" */
export function fields(code: LutraErrorCode, what: string): Fields {
  const fault = (where: string, message: string): LutraError => new LutraError(code, `${what}: ${message}`, { where });
  const array = (json: Json | undefined, where: string): readonly Json[] => {
    if (!Array.isArray(json)) throw fault(where, "must be an array");
    return json;
  };
  const number = (json: Json | undefined, where: string): number => {
    if (typeof json !== "number") throw fault(where, "must be a number");
    return json;
  };
  const text = (json: Json | undefined, where: string): string => {
    if (typeof json !== "string") throw fault(where, "must be a text");
    return json;
  };
  return {
    fault,
    array,
    number,
    text,
    numbers: (json, where) => array(json, where).map((x, i) => number(x, `${where}[${i}]`)),
    texts: (json, where) => array(json, where).map((x, i) => text(x, `${where}[${i}]`)),
    object(json, where) {
      if (json === null || typeof json !== "object" || Array.isArray(json)) throw fault(where, "must be an object");
      return json as Members;
    },
    integer(json, where, lo, hi) {
      const x = number(json, where);
      if (Number.isInteger(x) && lo <= x && x <= hi) return x;
      throw fault(where, `must be an integer from ${lo} to ${hi}, got ${x}`);
    },
    oneOf(json, where, allowed) {
      const found = allowed.find((name) => name === json);
      if (found === undefined) throw fault(where, `must be one of ${allowed.join(", ")}`);
      return found;
    },
  };
}
