// What the rules for single operations see of a step of sixteen elements.

import type { Kernel } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import type { Code } from "../assembler.ts";
import type { Block } from "../lanes.ts";
import type { Form } from "../module.ts";
import type { Lookups } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import type { Width } from "./widths.ts";

/** What the steps of one pass share. */
export interface PassScope {
  readonly plan: Plan;
  readonly lookups: Lookups;
  readonly form: Form;
  /** The number of the pass. */
  readonly stage: number;
  /** Statements before the loop, which is run for every row. */
  readonly setup: Block;
  /** Where what is made of a value that does not vary along the row is kept: before the loop, or before all rows if it varies over nothing. */
  readonly copiesOf: (i: number) => Copies;
  /** A value that is one number in this row, kept. */
  scalar(i: number): Code;
}

/** What is made once, by what it is, and where the statements for it go. */
export interface Copies {
  readonly known: Map<string, Code>;
  readonly setup: Block;
}

/** Makes what has a name the first time it is asked for. */
export function copied({ known, setup }: Copies, name: string, make: (setup: Block) => Code): Code {
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = setup.keep(make(setup));
  known.set(name, made);
  return made;
}

export interface Vectors {
  readonly scope: PassScope;
  readonly block: Block;
  readonly kernel: Kernel;
  range(i: number): Interval | null;
  constant(i: number): number | undefined;
  /** Whether the value is the same for all elements of a row. */
  isUniform(i: number): boolean;
  /** The width in which a value is computed. */
  native(i: number): Width;
  /** The q-th vector of a value in a width, kept. Where the range does not fit, its integers modulo the width's power of two. */
  part(i: number, width: Width, q: number): Code;
  /** A vector in a width, from those in half of it ("up") or twice. */
  resized(way: "up" | "down", width: Width, q: number, range: Interval, part: (width: Width, q: number) => Code): Code;
  /** Keeps what has a name, and computes it once. */
  remember(name: string, make: () => Code): Code;
}
