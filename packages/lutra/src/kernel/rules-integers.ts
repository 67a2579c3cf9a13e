// Rewrites of integer values: whatever holds in exact arithmetic within the proven ranges. rules.ts says which operations each is about.

import type { Interval } from "../num/index.ts";
import { argAt, type Candidate, constantAt, EITHER_ORDER, innerArgs, integer, type Rewrite } from "./candidate.ts";
import { longestShift } from "./integer.ts";
import { laneRange } from "./lanes.ts";
import type { Lane, Value } from "./types.ts";

/** (x - y) + y */
export const addedBack: Rewrite = (c) => {
  for (const [one, other] of EITHER_ORDER) {
    const difference = innerArgs(c, argAt(c, one), "sub");
    if (difference !== null && difference[1] === argAt(c, other)) return difference[0];
  }
  return null;
};

/** (x + y) - y and (y + x) - y */
export const takenAway: Rewrite = (c) => {
  const sum = innerArgs(c, argAt(c, 0), "add");
  if (sum === null) return null;
  return sum[1] === argAt(c, 1) ? sum[0] : sum[0] === argAt(c, 1) ? sum[1] : null;
};

/** x - (x - y) */
export const differenceTaken: Rewrite = (c) => {
  const difference = innerArgs(c, argAt(c, 1), "sub");
  return difference !== null && difference[0] === argAt(c, 0) ? difference[1] : null;
};

/** (x + c) + d with both constant, where the lane holds c + d. */
export const addedOnce: Rewrite = (c) => {
  const sum = innerArgs(c, argAt(c, 0), "add");
  const [inner, outer] = [sum === null ? null : constantAt(c, sum[1]), constantAt(c, argAt(c, 1))];
  if (sum === null || inner === null || outer === null || !fits(inner + outer, c.value.lane)) return null;
  return c.make({ op: "add", args: [sum[0], integer(c, inner + outer)] }, c.value.lane);
};

function fits(value: number, lane: Lane): boolean {
  const range = laneRange(lane);
  return range !== null && range.lo <= value && value <= range.hi;
}

/** min(min(x, c), d) and the same of maxima. -0 is below 0, as in Math.min. */
export const limitedOnce: Rewrite = (c) => {
  const { op, lane } = c.value;
  if (op !== "min" && op !== "max") return null;
  const limited = innerArgs(c, argAt(c, 0), op);
  const [inner, outer] = [limited === null ? null : constantAt(c, limited[1]), constantAt(c, argAt(c, 1))];
  if (limited === null || inner === null || outer === null) return null;
  const limit = op === "min" ? Math.min(inner, outer) : Math.max(inner, outer);
  return c.make({ op, args: [limited[0], c.make({ op: "const", value: limit }, lane)] }, lane);
};

/** The argument that is proven to be at most (at least) the other. */
export const lesserByRange: Rewrite = (c) => {
  const order = EITHER_ORDER.find(([one, other]) => isAtMost(c, argAt(c, one), argAt(c, other)));
  if (order === undefined) return null;
  return argAt(c, c.value.op === "min" ? order[0] : order[1]);
};

function isAtMost(c: Candidate, a: number, b: number): boolean {
  const [low, high] = [c.rangeAt(a), c.rangeAt(b)];
  return low !== null && high !== null && low.hi <= high.lo;
}

/** Of select(a, b, ., .) whether a < b, if the ranges decide it. */
export const chosenByRange: Rewrite = (c) => {
  const [a, b, below, otherwise] = c.args as [number, number, number, number];
  const [left, right] = [c.rangeAt(a), c.rangeAt(b)];
  if (left === null || right === null) return null;
  return left.hi < right.lo ? below : left.lo >= right.hi ? otherwise : null;
};

/** select(a, b, a, b) and select(a, b, b, a) */
export const chosenByOrder: Rewrite = (c) => {
  const [a, b, below, otherwise] = c.args as [number, number, number, number];
  if (below === a && otherwise === b) return c.make({ op: "min", args: [a, b] }, c.value.lane);
  return below === b && otherwise === a ? c.make({ op: "max", args: [a, b] }, c.value.lane) : null;
};

/** (x << c) << d and (x >> c) >> d, where no amount is too long. */
export const shiftedOnce: Rewrite = (c) => {
  const { value } = c;
  const inner = c.at(argAt(c, 0));
  if (!(isExactOrFloor(value) && isExactOrFloor(inner)) || inner.op !== value.op) return null;
  const [early, late] = [constantAt(c, inner.args[1]), constantAt(c, argAt(c, 1))];
  if (early === null || late === null || early + late > longestShift(value.lane)) return null;
  return c.make({ ...value, args: [inner.args[0], integer(c, early + late, "i32")] }, value.lane);
};

type Shift = Extract<Value, { readonly op: "shift-left" | "shift-right" }>;

function isExactOrFloor(value: Value): value is Shift {
  return value.op === "shift-left" || (value.op === "shift-right" && value.rounding === "floor");
}

/** (x << a) >> b: what was shifted in is shifted out, exactly. */
export const shiftedBack: Rewrite = (c) => {
  const { value } = c;
  const left = innerArgs(c, argAt(c, 0), "shift-left");
  if (left === null || value.op !== "shift-right") return null;
  const [x, by] = left;
  if (by === argAt(c, 1)) return x;
  const [early, late] = [constantAt(c, by), constantAt(c, argAt(c, 1))];
  if (early === null || late === null) return null;
  if (early === late) return x;
  const amount = integer(c, Math.abs(early - late), "i32");
  return early > late
    ? c.make({ op: "shift-left", args: [x, amount] }, value.lane)
    : c.make({ ...value, args: [x, amount] }, value.lane);
};

/** cast(cast(x)): the first changes nothing, or the second saturates at least as much. */
export const castOnce: Rewrite = (c) => {
  const { value } = c;
  const inner = c.at(argAt(c, 0));
  if (inner.op !== "cast") return null;
  const [x] = inner.args;
  const [within, between, to] = [c.rangeAt(x), laneRange(inner.lane), laneRange(value.lane)];
  if (to === null) return null;
  const isKept = within !== null && isInside(within, between ?? EXACT_IN_BINARY32);
  const isSpared = between !== null && isInside(to, between) && c.isUsedOnce(argAt(c, 0));
  if (!(isKept && (between !== null || isInside(within, to))) && !isSpared) return null;
  if (c.at(x).lane === value.lane) return isKept ? x : null;
  return c.make({ ...inner, args: [x] }, value.lane);
};

/** Integers that binary32 holds. */
const EXACT_IN_BINARY32: Interval = { lo: -(2 ** 24), hi: 2 ** 24 };

function isInside(inner: Interval, outer: Interval): boolean {
  return outer.lo <= inner.lo && inner.hi <= outer.hi;
}

/** cast(min(x, c)) and cast(max(x, c)) where the cast saturates at least as much. */
export const saturatedOnce: Rewrite = (c) => {
  const inner = c.at(argAt(c, 0));
  const to = laneRange(c.value.lane);
  if ((inner.op !== "min" && inner.op !== "max") || to === null || !c.isUsedOnce(argAt(c, 0))) return null;
  const limit = constantAt(c, inner.args[1]);
  if (limit === null || c.rangeAt(inner.args[0]) === null) return null;
  if (inner.op === "min" ? limit < to.hi : limit > to.lo) return null;
  return c.make({ op: "cast", args: [inner.args[0]] }, c.value.lane);
};
