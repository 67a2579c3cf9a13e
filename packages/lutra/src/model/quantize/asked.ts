// Which tensors of a network a lowering asks the numbers of, and for what: it is tried with invented ranges, and what it asks is written down. So
// calibration looks at no more than that, and what has no integer form is refused before anything runs.

import type { NamedSize } from "../../program/index.ts";
import type { Spec, Table } from "../../table/index.ts";
import type { Network } from "../trace/network.ts";
import { BITS } from "./formats.ts";
import { lower } from "./lower.ts";
import { largestCodeOf, longestRow } from "./sizes.ts";

/** Wide enough that norms and sums of any sensible size fit. */
const INVENTED = { lo: -64, hi: 64 };

/**
 * Tensors by name; true where one is held in 8 bits somewhere, false where it is held in more alone.
 * @throws LutraError "unsupported" naming what has no integer form
 */
export function askedOf(
  network: Network,
  sizes: readonly NamedSize[],
  table: (spec: Spec) => Table,
  allowFloat: boolean,
): ReadonlyMap<string, boolean> {
  const asked = new Map<string, boolean>();
  const ask = (tensor: string, isNarrow: boolean): void => {
    asked.set(tensor, isNarrow || asked.get(tensor) === true);
  };
  lower(network, {
    range(tensor, role) {
      ask(tensor, BITS[role] <= 8);
      return INVENTED;
    },
    columnRanges(input) {
      ask(input, true);
      const columns = network.shapes[input]?.at(-1)?.get("") ?? 1;
      return Array.from({ length: columns }, () => INVENTED);
    },
    largestCode: (input) => largestCodeOf(network, input),
    ...{ sizes, table, allowFloat },
    maxRow: longestRow(network, sizes),
  });
  return asked;
}
