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
  /** Statements before the loop. */
  readonly setup: Block;
  /** Copies of what does not vary along the row, by what they are. */
  readonly copies: Map<string, Code>;
  /** A value that is one number in this row, kept. */
  scalar(i: number): Code;
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
