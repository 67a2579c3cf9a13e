// One set of stored coefficients for several input scales: the question at each scale, and the table that joins the answers.
// At scale S_0 2^-e a slope counts 2^-e times as many output steps per code: the sum is brought to one more bit by a longer shift, and
// the intercept moves left to meet it. All sums stay exact.

import { LutraError } from "../base/index.ts";
import { codeRange, exponentOf, type Format } from "../num/index.ts";
import { atScale, type Problem, type ScaleVariant, type Table } from "../table/index.ts";
import { type Bound, delivered } from "./deliver.ts";
import { measure } from "./norm.ts";
import type { Piece } from "./pwl.ts";
import { quantise } from "./quantise.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Integer tables are evaluated in 32-bit registers. */
const REGISTER: number = 2 ** 31;

/** Lines and, by scale, the codes where segments begin: not falling, one fewer than the lines. */
export interface SharedLines {
  readonly tasks: readonly Task[];
  readonly pieces: readonly Piece[];
  readonly codes: readonly (readonly number[])[];
}

/** The question at each scale. */
export function tasksOfScales({ scales: _, ...problem }: Problem, scales: readonly Format[]): Task[] {
  return scales.map((input) => prepare({ ...problem, spec: { ...problem.spec, input } }));
}

/** Stores the lines once and measures the table at every scale. */
export function deliverShared(lines: SharedLines, bound: Bound): FitResult {
  const table = joined(lines);
  const errors = lines.tasks.map((task, k) => measure(task.problem, atScale(table, k), task.samples));
  const objective = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return delivered(table, objective, bound, lines.pieces.length);
}

/** The least common shift with which coefficients are integers at every scale. @throws LutraError "infeasible" if sums pass 32 bits */
function joined({ tasks, pieces, codes }: SharedLines): Table {
  const inputs = tasks.map(({ problem }) => problem.spec.input);
  const tables = tasks.map((task, k) =>
    quantise(task, { index: { rule: "breakpoints", codes: codes[k] as readonly number[] }, pieces }),
  );
  const finer = inputs.map((input) => exponentOf(scaleOf(inputs[0] as Format) / scaleOf(input)));
  const shift = Math.max(...tables.map((table, k) => table.shift - (finer[k] as number)));
  const first = tables[0] as Table;
  const coefficients = first.coefficients.map((column) => column.map((c) => c * 2 ** (shift - first.shift)));
  const scales = tables.map(({ clamp, index }, k): ScaleVariant => {
    const interceptShift = finer[k] as number;
    return { input: inputs[k] as Format, clamp, index, interceptShift, shift: shift + interceptShift };
  });
  for (const scale of scales) checkRegister(coefficients, scale);
  return { ...first, shift, coefficients, scales };
}

function checkRegister([intercepts = [], slopes = []]: readonly (readonly number[])[], scale: ScaleVariant): void {
  const { lo, hi } = codeRange(scale.input);
  const largest = Math.max(
    ...intercepts.map((b, i) => {
      return Math.max(-lo, hi) * Math.abs(slopes[i] as number) + Math.abs(b) * 2 ** scale.interceptShift;
    }),
  );
  if (largest + 2 ** Math.max(0, scale.shift - 1) < REGISTER) return;
  throw new LutraError("infeasible", `at scale ${scaleOf(scale.input)} the table's sums do not fit 32 bits`, {
    note: "use coarser coefficient formats, a coarser output format, or fewer scales",
  });
}

function scaleOf(format: Format): number {
  return format.kind === "integer" ? format.scale : 1;
}
