// Breakpoints moved one at a time, each to its best place between its neighbours: a local search after or instead of the programme.

import { costOf, type Programme, type RunCost, type Segmentation } from "./segmentation.ts";

const MAX_SWEEPS = 100;

/** Moves each breakpoint to its best place between its neighbours, over and over until none moves. Never worse. */
export function settle(programme: Programme, found: Segmentation, runs: RunCost): Segmentation {
  const { head, tail, length } = programme;
  const starts = [...found.starts];
  const last = starts.length - 1;
  const toRight = new Float64Array(length + 1);
  for (let sweep = 0, moved = true; moved && sweep < MAX_SWEEPS; sweep++) {
    moved = false;
    for (let s = 1; s <= last; s++) {
      const from = starts[s - 1] as number;
      const to = starts[s + 1] ?? length;
      costsLeftward(runs, from, to, s === last ? tail : null, toRight);
      const best = bestBorder(runs, from, to, s === 1 ? head : null, toRight, starts[s] as number);
      moved ||= best !== starts[s];
      starts[s] = best;
    }
  }
  return { starts, cost: costOf(programme, starts, runs) };
}

/** costs[j]: of the run from j to `to`, or of the given line. */
function costsLeftward(runs: RunCost, from: number, to: number, line: Float64Array | null, costs: Float64Array): void {
  if (line !== null) {
    for (let j = from; j <= to; j++) costs[j] = line[j] as number;
    return;
  }
  costs[to] = Infinity;
  runs.begin(to - 1, -1);
  for (let j = to - 1; j > from; j--) {
    runs.extend();
    costs[j] = runs.cost();
  }
}

/** The border between two segments of least cost; the present one unless another is better. */
function bestBorder(
  runs: RunCost,
  from: number,
  to: number,
  line: Float64Array | null,
  toRight: Float64Array,
  present: number,
): number {
  let best = present;
  let least = Infinity;
  runs.begin(from);
  for (let j = from + 1; j <= to; j++) {
    if (line === null) runs.extend();
    const total = (line === null ? runs.cost() : (line[j] as number)) + (toRight[j] as number);
    if (total < least || (j === present && total <= least)) {
      least = total;
      best = j;
    }
  }
  return best;
}
