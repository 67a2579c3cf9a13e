// What a method's answer takes to store, in the formats the problem asks for: the same rule for every method of a grid.

import type { Format } from "../num/index.ts";
import { type Problem, type Table, tableBytes } from "../table/index.ts";

const BINARY32_BYTES = 4;

/** Bytes of slopes and intercepts in the problem's coefficient formats, and of the rest as the table holds it. */
export function storedBytes(table: Table, { coefficients }: Problem): number {
  if (coefficients === undefined || table.spec.input.kind === "integer") return tableBytes(table);
  const [intercepts, ...rest] = table.coefficients;
  const count = intercepts?.length ?? 0;
  const numbers = count * (1 + rest.length);
  const stored = count * (bytesOf(coefficients.intercept) + rest.length * bytesOf(coefficients.slope));
  return tableBytes(table) - numbers * BINARY32_BYTES + stored;
}

function bytesOf(format: Format): number {
  if (format.kind === "integer") return Math.ceil(format.bits / 8);
  return format.name === "binary32" ? BINARY32_BYTES : 2;
}
