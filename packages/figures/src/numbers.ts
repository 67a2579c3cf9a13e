// Numbers as the report shows them.

import { shortNumber } from "./scale.ts";

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share 0..1: 93.27 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** With its sign: +0.06, \u22120.12, \u00b10. */
export function signed(value: number, print: (magnitude: number) => string): string {
  if (value === 0) return `\u00b1${print(0)}`;
  return (value > 0 ? "+" : "\u2212") + print(Math.abs(value));
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function bytes(count: number): string {
  return count < 10_000 ? `${grouped(count)} bytes` : `${shortNumber(count / 1024)} KiB`;
}

/** Perplexity and negative log-likelihood: four decimals show what a table may change. */
export function fourDecimals(value: number): string {
  return value.toFixed(4);
}
