// Where segments may begin when not every point will do: given breakpoints, or powers of two. A border is a code and the point it
// comes before; searches over points ask for the nearest border, and the form they find is stored with the borders' codes.

import { LutraError } from "../base/index.ts";
import type { Format } from "../num/index.ts";
import type { Points } from "./points.ts";
import { fromStarts, type Piece, type Pwl } from "./pwl.ts";

export interface AllowedBorders {
  /** First point at or above each code, strictly increasing, from 0 (a line below without points) to the number of points. */
  readonly starts: readonly number[];
  readonly codes: readonly number[];
  /** Whether every border must be used. */
  readonly all: boolean;
}

/** The borders among ascending points that codes make. Codes between the same two points are one border. */
export function bordersAmong(points: Points, codes: readonly number[], all: boolean): AllowedBorders {
  const starts: number[] = [];
  const kept: number[] = [];
  const n = points.codes.length;
  for (const code of codes) {
    const start = firstFrom(points.codes, code);
    const same = starts.length > 0 && starts[starts.length - 1] === start;
    if (all && (same || start === 0 || start === n)) {
      throw new LutraError("infeasible", `no input that counts lies between the breakpoint ${code} and its neighbour`, {
        note: "give breakpoints (in codes here) with inputs on both sides of each",
      });
    }
    // Beyond the last point the first code is as good as any; before a point the nearest.
    if (same && start === n) continue;
    if (same) kept[kept.length - 1] = code;
    else {
      starts.push(start);
      kept.push(code);
    }
  }
  return { starts, codes: kept, all };
}

/** The borders that are points themselves, where lines can meet. @throws LutraError if one that must be used is none */
export function bordersAtPoints({ codes: points }: Points, { starts, codes, all }: AllowedBorders): AllowedBorders {
  const kept = codes.flatMap((code, k) => (points[starts[k] as number] === code ? [k] : []));
  if (all && kept.length < codes.length) {
    throw new LutraError(
      "infeasible",
      "lines cannot meet at given breakpoints that are not among the inputs that count",
      {
        note: "give breakpoints on the grid, or leave out continuous",
      },
    );
  }
  return { starts: kept.map((k) => starts[k] as number), codes: kept.map((k) => codes[k] as number), all };
}

/** How many of the ascending codes lie below a code. */
export function firstFrom(codes: Float64Array, code: number): number {
  let low = 0;
  let high = codes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((codes[middle] as number) < code) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last border at or before a point, null if there is none. */
export function borderBefore({ starts }: AllowedBorders, point: number): number | null {
  return starts.findLast((start) => start <= point) ?? null;
}

/** The first border at or after a point, null if there is none. */
export function borderAfter({ starts }: AllowedBorders, point: number): number | null {
  return starts.find((start) => start >= point) ?? null;
}

/** The form of segments that begin at points: at the borders' codes where borders are prescribed. `starts` as in fromStarts. */
export function formOf(
  { points, borders }: { readonly points: Points; readonly borders: AllowedBorders | null },
  starts: readonly number[],
  pieces: readonly Piece[],
  input: Format,
): Pwl {
  if (borders === null) return fromStarts(points, starts, pieces, input);
  const codes = starts.slice(1).map((start) => borders.codes[borders.starts.indexOf(start)] as number);
  return { index: { rule: "breakpoints", codes }, pieces };
}
