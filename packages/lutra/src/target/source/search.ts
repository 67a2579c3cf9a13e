// How many of a list's ascending codes are <= t: a binary search without branches, unrolled, its list filled up to 2^k - 1 codes.

import type { Lane } from "../../kernel/index.ts";
import type { Body } from "./source.ts";

/** The expression's name. `greatest` fills the list up; a t as large counts too many, which the last line takes back. */
export function emitSearch(body: Body, list: SearchList, t: string): string {
  const { codes, lane, greatest, part } = list;
  if (codes.length === 0) return "0";
  let half = 1;
  while (2 * half - 1 < codes.length) half *= 2;
  const padding = new Array<number>(2 * half - 1 - codes.length).fill(greatest);
  const name = body.source.list(lane, part, [...codes, ...padding]);
  let place = "0";
  for (; half >= 1; half /= 2) {
    const probe = body.dialect.at(
      name,
      place === "0" ? String(half - 1) : half === 1 ? place : `${place} + ${half - 1}`,
    );
    const step = `${probe} <= ${t} ? ${half} : 0`;
    place = body.let("i32", "place", place === "0" ? step : `${place} + (${step})`);
  }
  if (padding.length === 0) return place;
  return body.let("i32", "place", `${place} < ${codes.length} ? ${place} : ${codes.length}`);
}

interface SearchList {
  readonly part: string;
  readonly lane: Lane;
  readonly codes: readonly number[];
  readonly greatest: number;
}
