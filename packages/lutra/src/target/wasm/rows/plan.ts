// A kernel cut into passes over a row, at its reductions: pass k computes the elements that the reductions need whose arguments wait for k
// others; between passes come the values of the row. What is needed again is computed anew where that is cheap, else kept in scratch.

import { interpret, type Kernel, ranges, type Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { bitsOf, type Width } from "./widths.ts";

export type Reduction = Value & { readonly op: "reduce" };

export interface Pass {
  /** Reductions over elements of this pass. */
  readonly reductions: readonly number[];
  /** Elements to keep in scratch for later passes. */
  readonly stored: readonly number[];
  /** Which of the kernel's results are written. */
  readonly results: readonly number[];
}

export interface Plan {
  readonly kernel: Kernel;
  readonly ranges: readonly (Interval | null)[];
  /** Values that depend on no input, computed beforehand. */
  readonly constants: readonly (number | undefined)[];
  /** What results depend on. */
  readonly needed: ReadonlySet<number>;
  /** Results per column are written in a pass of their own, before the rows. */
  readonly columnResults: readonly number[];
  readonly passes: readonly Pass[];
  /** The values kept in scratch, with their width there. */
  readonly scratch: ReadonlyMap<number, Width>;
  /** How many passes must be over before the value is known. */
  readonly stages: readonly number[];
}

/** What is known of a kernel before it is cut. */
export function factsOf(kernel: Kernel): Pick<Plan, "kernel" | "ranges" | "constants"> {
  return { kernel, ranges: ranges(kernel), constants: constantsOf(kernel) };
}

/**
 * @param gathered lookups that are read one element at a time: what they are asked for is in scratch a pass before, for bytes that are loaded right
 *   after the vector was stored come late
 */
export function plan(facts: Pick<Plan, "kernel" | "ranges" | "constants">, gathered: ReadonlySet<number>): Plan {
  const { kernel, constants, ranges: known } = facts;
  const { values, results } = kernel;
  const stages = stagesOf(values, gathered);
  const needed = cone(values, results, constants);
  const isResultOver = (over: Value["over"]) => (at: number) => (values[at] as Value).over === over;
  const reductions = [...needed].filter((i) => values[i]?.op === "reduce");
  const elementResults = results.filter(isResultOver("element"));
  // Written in the last pass, so that a result may lie where a param does.
  const last = Math.max(
    -1,
    ...reductions.map((i) => (stages[i] as number) - 1),
    ...elementResults.map((i) => stages[i] as number),
  );
  const places = new Set([...gathered].map((i) => (values[i] as Value & { readonly op: "lookup" }).args[0]));
  const stored = storedValues(values, { needed, constants, stages, last, places, results: elementResults });
  const passes = Array.from({ length: last + 1 }, (_, k): Pass => {
    return {
      reductions: reductions.filter((i) => stages[i] === k + 1),
      stored: stored.filter((i) => stages[i] === k),
      results: k === last ? results.flatMap((at, i) => (values[at]?.over === "element" ? [i] : [])) : [],
    };
  });
  const columnResults = results.flatMap((at, i) => (values[at]?.over === "column" ? [i] : []));
  return {
    kernel,
    ranges: known,
    constants,
    needed,
    columnResults,
    passes,
    scratch: new Map(stored.map((i) => [i, bitsOf(known[i] as Interval | null)])),
    stages,
  };
}

/** Answers that are the same for all inputs. */
function constantsOf(kernel: Kernel): readonly (number | undefined)[] {
  const constants: (number | undefined)[] = [];
  for (const [i, value] of kernel.values.entries()) {
    if (value.op === "const") {
      constants.push(value.value);
      continue;
    }
    const args = "args" in value ? value.args : [];
    const isConstant =
      value.op !== "param" && value.op !== "reduce" && args.every((arg) => constants[arg] !== undefined);
    constants.push(isConstant ? constantAt(kernel, i, constants) : undefined);
  }
  return constants;
}

/** The value at i, whose arguments are constants. */
function constantAt(kernel: Kernel, i: number, constants: readonly (number | undefined)[]): number {
  const { values } = kernel;
  const before = values.slice(0, i).map((value, j): Value => {
    return { op: "const", value: constants[j] ?? 0, lane: value.lane, over: "one" };
  });
  const [answer] = interpret({ ...kernel, values: [...before, values[i] as Value], results: [i] }, {}, 1, 1);
  return answer?.[0] as number;
}

/** Through how many reductions and gathered lookups, one after another, a value depends on elements. */
function stagesOf(values: readonly Value[], gathered: ReadonlySet<number>): readonly number[] {
  const stages: number[] = [];
  for (const [i, value] of values.entries()) {
    const before = ("args" in value ? value.args : []).map((arg) => stages[arg] as number);
    stages.push(Math.max(0, ...before) + (value.op === "reduce" || gathered.has(i) ? 1 : 0));
  }
  return stages;
}

/** The values that others are computed from, these included; constants need none. */
function cone(
  values: readonly Value[],
  roots: readonly number[],
  constants: readonly (number | undefined)[],
): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (i: number): void => {
    if (found.has(i)) return;
    found.add(i);
    const value = values[i] as Value;
    if ("args" in value && constants[i] === undefined) value.args.forEach(visit);
  };
  roots.forEach(visit);
  return found;
}

interface Uses {
  readonly needed: ReadonlySet<number>;
  readonly constants: readonly (number | undefined)[];
  readonly stages: readonly number[];
  /** The pass in which results are written. */
  readonly last: number;
  /** What gathered lookups are asked for. */
  readonly places: ReadonlySet<number>;
  readonly results: readonly number[];
}

/** The elements that a later pass uses and that cost a lookup or a division to compute anew. */
function storedValues(values: readonly Value[], uses: Uses): readonly number[] {
  const { needed, constants, stages, last, places } = uses;
  const lastUse = values.map((_, i) => (uses.results.includes(i) ? last : -1));
  const isCostly: boolean[] = [];
  for (const [i, value] of values.entries()) {
    const args = "args" in value && constants[i] === undefined ? value.args : [];
    const own =
      value.over === "element" &&
      (value.op === "lookup" || places.has(i) || (value.op === "div" && constants[args[1] as number] === undefined));
    isCostly.push(
      own || args.some((arg) => values[arg]?.over === "element" && value.op !== "reduce" && isCostly[arg] === true),
    );
    if (!needed.has(i)) continue;
    const pass = (stages[i] as number) - (value.op === "reduce" ? 1 : 0);
    for (const arg of args) lastUse[arg] = Math.max(lastUse[arg] as number, pass);
  }
  return [...needed].filter((i) => {
    const isLater = (lastUse[i] as number) > (stages[i] as number);
    return values[i]?.over === "element" && values[i]?.op !== "param" && isCostly[i] === true && isLater;
  });
}
