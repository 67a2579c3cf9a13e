// What a method's answer takes to store, in the formats the problem asks for: the same rule for every method of a grid.

import type { Format } from "../num/index.ts";
import { type Problem, type Table, tableBytes } from "../table/index.ts";
import { isOnCodes } from "./grids.ts";

const BINARY32_BYTES = 4;

/** Bytes of slopes and intercepts in the problem's coefficient formats, and of the rest as the table holds it. */
export function storedBytes(table: Table, problem: Problem): number {
  const { coefficients } = problem;
  if (coefficients === undefined || table.spec.input.kind === "integer") return tableBytes(table);
  const [intercepts, ...rest] = table.coefficients;
  const count = intercepts?.length ?? 0;
  const numbers = count * (1 + rest.length);
  const stored = count * (bytesOf(coefficients.intercept) + rest.length * bytesOf(coefficients.slope));
  return tableBytes(table) - numbers * BINARY32_BYTES + stored - sparedBytes(table, problem);
}

/** Breakpoints among int8 codes take a byte each. */
function sparedBytes({ index }: Table, problem: Problem): number {
  return isOnCodes(problem) && "codes" in index ? index.codes.length * (BINARY32_BYTES - 1) : 0;
}

function bytesOf(format: Format): number {
  if (format.kind === "integer") return Math.ceil(format.bits / 8);
  return format.name === "binary32" ? BINARY32_BYTES : 2;
}
