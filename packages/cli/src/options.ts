// Option values as typed on the command line. One rule: a number, range or choice that no function or file could make right is refused
// here, with exit code 2; what does not suit a function or a file, and names that only the library knows, are its to refuse, with 1.

import { InvalidArgumentError } from "commander";

export interface Grid {
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

/** How many: 1, 2, ... */
export function count(text: string): number {
  const value = number(text);
  if (!(Number.isInteger(value) && value >= 1)) throw new InvalidArgumentError(`"${text}" is not a positive integer.`);
  return value;
}

export function counts(text: string): readonly number[] {
  return distinct(text.split(",").map(count));
}

/** Named twice is named once. */
function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

export function positive(text: string): number {
  const value = number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError(`"${text}" is not a positive number.`);
  return value;
}

/** A seed: any integer. */
export function integer(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError(`"${text}" is not an integer.`);
  return value;
}

/** A share in percent or points: not negative. */
export function share(text: string): number {
  const value = number(text);
  if (!(value >= 0 && value < Infinity)) throw new InvalidArgumentError(`"${text}" is not a number of 0 or more.`);
  return value;
}

/** auto, or a number from 0 to 1. */
export function strength(text: string): "auto" | number {
  if (text === "auto") return text;
  const value = number(text);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError(`"${text}" is neither auto nor a number from 0 to 1.`);
  return value;
}

/** LO:HI:STEP */
export function grid(text: string): Grid {
  const parts = text.split(":");
  if (parts.length !== 3) throw new InvalidArgumentError(`"${text}" is not LO:HI:STEP, as in -4:4:0.01.`);
  const [lo, hi, step] = parts.map(number) as [number, number, number];
  if (!(lo < hi && step > 0 && hi - lo < Infinity && step < Infinity)) {
    throw new InvalidArgumentError(`the grid "${text}" has no points: LO is below HI, and STEP positive.`);
  }
  return { lo, hi, step };
}

/** A,B */
export function range(text: string): readonly [number, number] {
  const parts = text.split(",");
  if (parts.length !== 2) throw new InvalidArgumentError(`"${text}" is not A,B, as in -8,8.`);
  const [a, b] = parts.map(number) as [number, number];
  if (!(a <= b)) throw new InvalidArgumentError(`a range needs its lower end first, got ${text}.`);
  return [a, b];
}

/** A,B,C,... */
function numbers(text: string): readonly number[] {
  return text.split(",").map(number);
}

/** A,B,C,..., each above the one before. */
export function increasing(text: string): readonly number[] {
  const values = numbers(text);
  const fault = values.findIndex((value, i) => i > 0 && !((values[i - 1] as number) < value));
  if (fault < 0) return values;
  throw new InvalidArgumentError(`"${text}" does not increase at ${values[fault]}.`);
}

/** NAME=VALUE,...: numbers where they look like one. */
export function parameters(text: string): Readonly<Record<string, string | number>> {
  const entries = text.split(",").map((part) => {
    const [name, value, ...more] = part.split("=").map((side) => side.trim());
    if (!name || !value || more.length > 0) throw new InvalidArgumentError(`"${part}" is not NAME=VALUE.`);
    return [name, Number.isNaN(Number(value)) ? value : Number(value)] as const;
  });
  return Object.fromEntries(entries);
}

/** What --with gives, and --breakpoint-rounding besides. */
export function givenParameters(options: {
  readonly with?: Readonly<Record<string, string | number>>;
  readonly breakpointRounding?: string;
}): Readonly<Record<string, string | number>> {
  const { breakpointRounding } = options;
  return { ...options.with, ...(breakpointRounding === undefined ? {} : { breakpointRounding }) };
}

/** Comma-separated names. */
export function names(text: string): readonly string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) throw new InvalidArgumentError(`"${text}" has an empty name.`);
  return distinct(list);
}

const FORMS = ["scalar", "simd", "relaxed"] as const;

/** Forms of a WebAssembly module, in order of preference. */
export function forms(text: string): readonly (typeof FORMS)[number][] {
  return distinct(
    text.split(",").map((part) => {
      const form = FORMS.find((name) => name === part.trim());
      if (form === undefined) throw new InvalidArgumentError(`"${part}" is none of ${FORMS.join(", ")}.`);
      return form;
    }),
  );
}

/** A name that C and TypeScript take. */
export function identifier(text: string): string {
  if (/^[A-Za-z]\w*$/.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not a letter followed by letters, digits and underscores.`);
}

/** A..B or A,B,C: the whole numbers from A to B, or those given. */
export function scales(text: string): readonly number[] {
  const ends = /^(-?\d+)\.\.(-?\d+)$/.exec(text);
  if (ends === null) return distinct(text.split(",").map(integer));
  const [first, last] = [Number(ends[1]), Number(ends[2])];
  if (!(first <= last && last - first < 64)) throw new InvalidArgumentError(`"${text}" is not A..B with A at most B.`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
