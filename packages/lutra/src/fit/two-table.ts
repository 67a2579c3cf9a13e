// NVDLA's SDP lookup (hardware manual v1, "LUT programming"): two tables of 16-bit entries, interpolated. LE has 65 entries at equal or
// at power-of-two distances, LO has 257 at equal ones. One covers the whole range, the other is dense over a part of it and wins
// wherever both hit; beyond the ends the answer goes on along a slope from the outermost entry.

import { LutraError, type Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { deliverTable, NO_BOUND } from "./deliver.ts";
import { interpolatingTable } from "./entries.ts";
import { chosenParameters } from "./parameters.ts";
import { prepare } from "./task.ts";
import { bestPair, formOf, LE_ENTRIES, LO_ENTRIES } from "./two-table-search.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** How the entries of LE are spaced. */
const LE = ["linear", "exponential"] as const;

/** Its parameters. */
export const TWO_TABLE: { readonly le: typeof LE } = { le: LE };

/** Lines between neighbouring entries of both tables; two of 322 are left for the slopes beyond the ends. */
export const TWO_TABLE_SEGMENTS: number = LE_ENTRIES + LO_ENTRIES;

/**
 * The two tables of least error: the manual leaves it to software where the dense one lies, and here every place is tried, with
 * either table in either role (linear), or LE over the whole range from 2^k on and LO dense (exponential, for arguments above 0).
 * Distances between entries are powers of two, as the hardware's shifters need. Entries are in the output format.
 * @throws LutraError "infeasible" if fewer than 322 segments are asked for, "unsupported" for coefficient formats, or for an
 * exponential LE over arguments that are not positive
 */
export function* twoTable(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { le } = chosenParameters(options, TWO_TABLE);
  if (problem.coefficients !== undefined) {
    throw new LutraError("unsupported", "two-table takes no coefficient formats: it stores entries");
  }
  if ("segments" in problem.size && problem.size.segments < TWO_TABLE_SEGMENTS) {
    throw new LutraError(
      "infeasible",
      `two-table has ${TWO_TABLE_SEGMENTS} segments (65 + 257 entries), got ${problem.size.segments}`,
      { note: `ask for ${TWO_TABLE_SEGMENTS} segments` },
    );
  }
  const task = prepare({ ...problem, size: { segments: TWO_TABLE_SEGMENTS } });
  if (le === "exponential" && !(task.range.lo > 0)) {
    throw new LutraError("unsupported", `an exponential LE needs arguments above 0, not from ${task.range.lo} on`, {
      note: "choose a range above 0, or the parameter le=linear",
    });
  }
  const pair = yield* bestPair(task, le);
  return deliverTable(task, interpolatingTable(task, formOf(task, pair)), NO_BOUND);
}
