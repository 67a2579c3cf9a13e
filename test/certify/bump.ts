// Every single-entry change of a table: coefficients and breakpoints, one code (or one ulp) up or down.

import { nextDown32, nextUp32 } from "../../packages/lutra/src/num/index.ts";
import type { Table } from "../../packages/lutra/src/table/index.ts";

export interface Bump {
  readonly degree: number | "breakpoint";
  readonly segment: number;
  readonly direction: "up" | "down";
  readonly table: Table;
}

export function* bumpsOf(table: Table): Iterable<Bump> {
  const next = (value: number, direction: "up" | "down"): number => {
    if (table.spec.input.kind === "integer") return direction === "up" ? value + 1 : value - 1;
    return direction === "up" ? nextUp32(value) : nextDown32(value);
  };
  for (const direction of ["up", "down"] as const) {
    for (const [degree, column] of table.coefficients.entries()) {
      for (const [segment, value] of column.entries()) {
        const changed = column.with(segment, next(value, direction));
        const coefficients = table.coefficients.with(degree, changed);
        yield { degree, segment, direction, table: { ...table, coefficients } };
      }
    }
    if (table.index.rule !== "breakpoints") continue;
    for (const [segment, code] of table.index.codes.entries()) {
      const codes = table.index.codes.with(segment, next(code, direction));
      yield { degree: "breakpoint", segment, direction, table: { ...table, index: { rule: "breakpoints", codes } } };
    }
  }
}
