// What a small table of codes costs besides rounding and saturation, which no table of its formats can avoid: the scale on which the sizes
// of integer tables are compared.

import { parseFn } from "../fn/index.ts";
import { allCodes, decode, encode } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";

/** Mean square, over the input codes, of the distance from the correctly rounded answers, in values. 0 for a table that lists them. */
export function squaredLoss(table: Table): number {
  const { fn, domain, input, output } = table.spec;
  const { evaluate: exact } = parseFn(fn);
  let [sum, count] = [0, 0];
  for (const code of allCodes(input)) {
    const x = decode(input, code);
    if (!(domain.lo <= x && x <= domain.hi)) continue;
    const error = decode(output, evaluate(table, code)) - decode(output, encode(output, exact(x)));
    sum += error * error;
    count++;
  }
  return sum / Math.max(1, count);
}
