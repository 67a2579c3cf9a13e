// Schemes and the reasons for them, in words: what a person reads who asks why a program is as it is.

import type { NamedSize, Step } from "../../program/index.ts";
import type { Trial } from "../budget.ts";
import type { Observed } from "./observe.ts";
import type { Lowered, Scheme } from "./scheme.ts";

/** One choice, in words. */
export interface ProgramChoice {
  readonly what: string;
  readonly chosen: string;
  readonly why: string;
}

/** What of a network can be chosen at all. */
export interface Choosable {
  /** The scores of its attentions. */
  readonly attentions: readonly string[];
  /** Whether a norm's scales can migrate. */
  readonly canMigrate: boolean;
  /** Whether only products with weights read an input of numbers. */
  readonly hasWeighedInput: boolean;
  /** Whether weights multiply products of two tensors. */
  readonly hasGates: boolean;
}

export function given(what: string, chosen: string): ProgramChoice {
  return { what, chosen, why: "given" };
}

export function migrationChoice(scheme: Scheme, { canMigrate }: Choosable): ProgramChoice {
  const why = canMigrate ? "given" : "no norm is read by weights of its own alone";
  return { what: "scale migration", chosen: migrationText(scheme), why };
}

export function migrationText({ migration }: Scheme): string {
  return migration === 0 ? "none" : `strength ${migration}`;
}

export function wideText({ wide }: Scheme, { attentions }: Choosable): string {
  if (attentions.length === 0) return "there are none";
  return wide.size === 0 ? "7 and 8 bits" : `9 to 12 bits in ${wide.size} of ${attentions.length} attentions`;
}

export function schemeText(scheme: Scheme, choosable: Choosable): string {
  const migration = scheme.migration === 0 ? [] : [`migration ${scheme.migration}`];
  const input = scheme.inputBits === 8 ? [] : [`inputs of ${scheme.inputBits} bits`];
  const gates = scheme.gateBits === 8 ? [] : [`gates of ${scheme.gateBits} bits`];
  const wide = scheme.wide.size === 0 ? [] : [`queries and keys of ${wideText(scheme, choosable)}`];
  return [`ranges ${scheme.ranges}`, ...migration, ...input, ...gates, ...wide].join(", ");
}

export function dropText({ drop, dropMargin }: Trial): string {
  return `${precise(drop)} (\u00b1${precise(dropMargin)})`;
}

export function precise(x: number): string {
  return x.toPrecision(3);
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How the numbers of each input become codes. */
export function inputChoices({ columns }: Observed, { program, held }: Lowered): readonly ProgramChoice[] {
  return program.inputs.flatMap((name) => {
    const quantization = program.tensors[name]?.quantization;
    const input = held.find(({ tensor }) => tensor === name);
    if (quantization === undefined || input === undefined) return [];
    const what = `input ${name}`;
    if (typeof quantization.scale === "number") {
      const zero = quantization.zeroPoint === 0 ? "" : " and a zero point";
      return [
        { what, chosen: `${input.format.bits} bits, one scale${zero}`, why: "not only products with weights read it" },
      ];
    }
    const sizes = (columns.get(name) ?? []).map(({ lo, hi }) => Math.max(-lo, hi)).filter((size) => size > 0);
    const [least, most] = [sizes.reduce((a, b) => Math.min(a, b), Infinity), sizes.reduce((a, b) => Math.max(a, b), 0)];
    const why = `its columns reach from ${precise(least)} to ${precise(most)}, and the weights take the scales in`;
    return [
      { what, chosen: `${input.format.bits} bits, one scale for each of ${quantization.scale.length} columns`, why },
    ];
  });
}

export function sizeChoices(sizes: readonly NamedSize[]): readonly ProgramChoice[] {
  return sizes.map(({ name, least, most }) => ({
    what: `size ${name}`,
    chosen: `${least} to ${most}`,
    why: "the most that tables of positions, masks and sums of 32 bits allow, 1024 at most",
  }));
}

/** Steps of the program that compute in binary32. */
export function floatChoices({ program }: Lowered, allowFloat: boolean): readonly ProgramChoice[] {
  if (!allowFloat) return [];
  const count = program.blocks.flatMap(({ steps }) => steps).filter(isFloat).length;
  const why = count === 0 ? "everything has an integer form" : "they have no integer form, and floats are allowed";
  return [{ what: "floats", chosen: `${count} steps in binary32`, why }];
}

function isFloat(step: Step): boolean {
  return (step.op === "kernel" || step.op === "product") && step.kernel.values.some(({ lane }) => lane === "f32");
}
