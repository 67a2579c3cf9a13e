// Option values as typed on the command line. Only their syntax is checked here (exit code 2); whether a value makes sense is the
// library's to say (exit code 1).

import { InvalidArgumentError } from "commander";

export interface Grid {
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

/** LO:HI:STEP */
export function grid(text: string): Grid {
  const parts = text.split(":");
  if (parts.length !== 3) throw new InvalidArgumentError(`"${text}" is not LO:HI:STEP, as in -4:4:0.01.`);
  const [lo, hi, step] = parts.map(number) as [number, number, number];
  return { lo, hi, step };
}

/** A,B */
export function range(text: string): readonly [number, number] {
  const parts = text.split(",");
  if (parts.length !== 2) throw new InvalidArgumentError(`"${text}" is not A,B, as in -8,8.`);
  const [a, b] = parts.map(number) as [number, number];
  return [a, b];
}

/** A,B,C,... */
export function numbers(text: string): readonly number[] {
  return text.split(",").map(number);
}

/** Comma-separated names. */
export function names(text: string): readonly string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) throw new InvalidArgumentError(`"${text}" has an empty name.`);
  return list;
}
