// One entry per code of the input format: every answer is the correctly rounded one. What an 8-bit function costs least with on most
// hardware (256 bytes), and the yardstick of all smaller integer tables.

import { LutraError, type Work } from "../base/index.ts";
import { encode, printFormat } from "../num/index.ts";
import type { Problem, Table } from "../table/index.ts";
import { deliverTable } from "./deliver.ts";
import { roundingError } from "./norm.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Widest input whose codes are listed. */
const MAX_BITS = 16;

/**
 * The table of all correctly rounded answers, over the codes inside the domain; a symmetry halves it.
 * @throws LutraError "unsupported" for inputs that are no integers of up to 16 bits, "bad-argument" for what such a table has no room
 * for, "infeasible" if fewer entries than codes are asked for
 */
export function* direct(problem: Problem): Work<FitResult> {
  const { input } = problem.spec;
  if (input.kind !== "integer" || input.bits > MAX_BITS) {
    throw new LutraError(
      "unsupported",
      `direct needs integer inputs of up to ${MAX_BITS} bits, got ${printFormat(input)}`,
    );
  }
  const refused = [
    problem.coefficients !== undefined && "coefficient formats",
    problem.grid !== undefined && "grid",
    problem.tails.some((tail) => typeof tail === "object") && "lines as tails",
  ].find((what) => what !== false);
  if (refused !== undefined)
    throw new LutraError("bad-argument", `a direct table has no ${refused}: it holds the answers themselves`);
  const task = prepare(problem);
  const table = directTable(task);
  if (table !== null) return deliverDirect(task, table);
  const codes = task.points.codes.length;
  throw new LutraError(
    "infeasible",
    `a direct table has an entry for each of ${codes} codes, got ${task.segments} segments`,
    {
      note: `ask for ${codes} segments, or use the method "optimal"`,
    },
  );
}

/** Nothing is better: the bound is the error of rounding itself. */
export function deliverDirect(task: Task, table: Table): FitResult {
  return deliverTable(task, table, {
    value: roundingError(task.problem, task.samples),
    holds: `any table, over ${task.over}`,
  });
}

/** One entry per code, if there are enough segments for that: every output is the correctly rounded one. */
export function directTable({ problem, segments, tails, fn, points }: Task): Table | null {
  const { spec, coefficients, reductions } = problem;
  if (spec.input.kind !== "integer" || coefficients !== undefined || problem.grid !== undefined) return null;
  // Behind a symmetry -128 is 128: a code of the table, if not of the format.
  const [low, high] = [points.codes[0] as number, points.codes[points.codes.length - 1] as number];
  if (points.codes.length !== high - low + 1 || segments < points.codes.length) return null;
  if (tails.some((tail) => typeof tail === "object")) return null;
  const entries = Array.from(points.x, (x) => encode(spec.output, fn.evaluate(x)));
  const index = { rule: "direct", first: low } as const;
  return { spec, reductions, clamp: [low, high], index, coefficients: [entries], shift: 0, rounding: "half-up" };
}
