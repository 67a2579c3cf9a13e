// The answer at 0, exactly: the last rounding of coefficients may have moved it, and a line may only come near it.

import { LutraError } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import { encode } from "../num/index.ts";
import { evaluate, segmentOf, type Table } from "../table/index.ts";
import { keeps } from "./keep.ts";
import { type Piece, type Pwl, pieceAt } from "./pwl.ts";
import type { Task } from "./task.ts";

/** The form whose line at 0 is anchored there, at a value that keeps the answer: rounding its slope then leaves the answer alone. */
export function anchoredAtZero({ zero, problem }: Task, { index, pieces }: Pwl): Pwl {
  if (zero === null) return { index, pieces };
  const segment = segmentOf(index, pieces.length, encode(problem.spec.input, 0));
  const anchored = (piece: Piece): Piece => {
    return { slope: piece.slope, x: 0, y: Math.min(zero.hi, Math.max(zero.lo, pieceAt(piece, 0))) };
  };
  return { index, pieces: pieces.map((piece, s) => (s === segment ? anchored(piece) : piece)) };
}

/** The table with the answer at 0 that the problem asks to keep. @throws LutraError "infeasible" if its coefficients cannot */
export function withZero(task: Task, table: Table): Table {
  if (task.zero === null) return table;
  const { input, output, fn } = table.spec;
  const code = encode(input, 0);
  const expected = encode(output, parseFn(fn).evaluate(0));
  const exact =
    input.kind === "integer" && task.problem.coefficients === undefined ? nudged(task, table, code, expected) : table;
  if (evaluate(exact, code) === expected) return exact;
  throw new LutraError("infeasible", `no coefficients found with which the table of ${fn} answers ${expected} at 0`);
}

/**
 * An integer table whose sum at a code is moved by the fewest units of its last place so that it rounds to what is expected. Lines
 * that must meet move together.
 */
function nudged({ problem }: Task, table: Table, code: number, expected: number): Table {
  const [intercepts = [], slopes = []] = table.coefficients;
  const i = segmentOf(table.index, intercepts.length, code);
  const sum = (slopes[i] ?? 0) * code + (intercepts[i] as number);
  const middle = expected * 2 ** table.shift;
  const half = table.shift === 0 ? 0 : 2 ** (table.shift - 1);
  const moved = Math.min(middle + Math.max(0, half - 1), Math.max(middle - half, sum)) - sum;
  if (moved === 0) return table;
  const coefficients = [
    intercepts.map((b, k) => (k === i || keeps(problem, "continuous") ? b + moved : b)),
    ...table.coefficients.slice(1),
  ];
  return { ...table, coefficients };
}
