// Index rules from untrusted JSON: fields, and the rules that an index of so many segments keeps.

import type { Json } from "../base/index.ts";
import { exponentOf, type Format, powerOfTwo } from "../num/index.ts";
import { asInteger, asNumber, asNumbers, asObject, asOneOf, fault } from "./fields.ts";
import type { Index, NestedIndex } from "./types.ts";

/** @param mayCoincide whether breakpoints may, as those of a table with scales */
export function checkIndex(index: Index, segments: number, input: Format, mayCoincide: boolean): void {
  const isInteger = input.kind === "integer";
  if (index.rule === "breakpoints") {
    if (index.codes.length !== segments - 1) {
      throw fault(
        "index.codes",
        `${segments} segments need ${segments - 1} breakpoints, there are ${index.codes.length}`,
      );
    }
    index.codes.forEach((code, i) => {
      const before = i > 0 ? (index.codes[i - 1] as number) : -Infinity;
      if (!(before < code || (mayCoincide && before === code))) {
        throw fault(`index.codes[${i}]`, `breakpoints must ${mayCoincide ? "not fall" : "be strictly increasing"}`);
      }
      if (isInteger ? !Number.isInteger(code) : Math.fround(code) !== code) {
        throw fault(`index.codes[${i}]`, `${code} is not a code of the input format`);
      }
    });
  } else if (index.rule === "uniform") {
    if (!isPowerOfTwo(index.width)) throw fault("index.width", `must be a power of two, got ${index.width}`);
    if (isInteger && index.width < 1) throw fault("index.width", "must be at least one code");
  } else if (index.rule === "nested") {
    checkNested(index, segments, isInteger);
  } else if (index.rule === "float-bits" && isInteger) {
    throw fault("index.rule", "float-bits needs a float input format");
  } else if (index.rule === "direct" && !isInteger) {
    throw fault("index.rule", "direct needs integer codes");
  }
}

function checkNested({ first, codes, scales, counts }: NestedIndex, segments: number, isInteger: boolean): void {
  const parts = codes.length + 1;
  if (scales.length !== parts) throw fault("index.scales", `${parts} sub-intervals need as many scales`);
  if (counts.length !== parts) throw fault("index.counts", `${parts} sub-intervals need as many counts`);
  [first, ...codes].forEach((code, i) => {
    const where = i === 0 ? "index.first" : `index.codes[${i - 1}]`;
    if (i > 1 && !((codes[i - 2] as number) < code)) throw fault(where, "breakpoints must be strictly increasing");
    if (!Number.isFinite(code) || (isInteger ? !Number.isInteger(code) : Math.fround(code) !== code)) {
      throw fault(where, `${code} is not a code of the input format`);
    }
  });
  scales.forEach((scale, i) => {
    const isScale = scale > 0 && scale < Infinity && Math.fround(scale) === scale;
    if (!isScale) throw fault(`index.scales[${i}]`, `${scale} is not a positive binary32 value`);
  });
  counts.forEach((count, i) => {
    if (!Number.isInteger(count) || count < 1) throw fault(`index.counts[${i}]`, `must be positive, got ${count}`);
  });
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum !== segments) throw fault("index.counts", `sum to ${sum}, there are ${segments} segments`);
}

function isPowerOfTwo(x: number): boolean {
  return x > 0 && Number.isFinite(x) && x === powerOfTwo(exponentOf(x));
}

export function parseIndex(json: Json, where: string): Index {
  const members = asObject(json, where);
  const rule = asOneOf(members.rule ?? null, `${where}.rule`, [
    "direct",
    "uniform",
    "breakpoints",
    "float-bits",
    "nested",
  ]);
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
    case "nested": {
      const [codes, scales, counts] = (["codes", "scales", "counts"] as const).map((name) =>
        asNumbers(members[name] ?? null, `${where}.${name}`),
      ) as [number[], number[], number[]];
      return { rule, first: asNumber(members.first ?? null, `${where}.first`), codes, scales, counts };
    }
    default:
      return rule satisfies never;
  }
}
