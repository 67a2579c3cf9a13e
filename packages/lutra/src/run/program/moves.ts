// Moves as copies of rows, where numbers lie side by side in both tensors, or of single elements.

import { LutraError, sizeOf } from "../../base/index.ts";
import { laneBits } from "../../kernel/index.ts";
import type { Part, Step } from "../../program/index.ts";
import { FUNCTIONS, OUTER_AXES } from "../../target/wasm/index.ts";
import type { Call, Planned, Planner } from "./planner.ts";

/** An axis of a box: how many there are, and how many elements lie from one to the next. */
interface Axis {
  readonly extent: number;
  readonly read: number;
  readonly write: number;
}

interface Copy {
  readonly from: string;
  readonly read: number;
  readonly write: number;
  readonly axes: readonly Axis[];
}

/** @throws RangeError if a part leaves its tensors */
export function planMove(planner: Planner, { parts, fill, result }: Step & { readonly op: "move" }): Planned {
  const { shape, type } = planner.tensor(result);
  const [size, bytes] = [sizeOf(shape), laneBits(type.lane) / 8];
  const copies = parts
    .map((part) => copyOf(planner, part, size))
    .filter(({ axes }) => axes.every(({ extent }) => extent > 0));
  return () => {
    const to = planner.address(result);
    const [copy] = copies;
    const isWhole = copies.length === 1 && copy !== undefined && coversAll(copy, size);
    const filled = isWhole || size === 0 ? [] : fillAll(planner, to, size, bytes, fill);
    return [...filled, ...copies.flatMap((each) => callsOf(planner, each, to, bytes))];
  };
}

function copyOf(planner: Planner, { from, box, read, write }: Part, size: number): Copy {
  const axes = box.map((extent, axis): Axis => {
    const [reads, writes] = [read.strides[axis], write.strides[axis]];
    return {
      extent: planner.size(extent),
      read: planner.size(reads as NonNullable<typeof reads>),
      write: planner.size(writes as NonNullable<typeof writes>),
    };
  });
  const copy = { from, read: planner.size(read.start), write: planner.size(write.start), axes };
  const last = (of: "read" | "write"): number =>
    axes.reduce((at, axis) => at + Math.max(0, axis.extent - 1) * axis[of], copy[of]);
  const isEmpty = axes.some(({ extent }) => extent === 0);
  // Not a number is outside too.
  const isInside = last("read") < sizeOf(planner.tensor(from).shape) && last("write") < size;
  if (!isEmpty && !isInside) {
    throw new RangeError(`the part of ${from} leaves its tensors`);
  }
  return { ...copy, axes: joined(axes) };
}

/** The same copy in fewest axes, the one whose elements lie closest in the target last: unless a place is written twice, where order matters. */
function joined(axes: readonly Axis[]): readonly Axis[] {
  const given = axes.filter(({ extent }) => extent !== 1);
  const sorted = [...given].sort((a, b) => b.write - a.write);
  const isNested = sorted.every(({ write }, i) => {
    const inner = sorted[i + 1];
    return inner === undefined ? write > 0 : write >= inner.extent * inner.write;
  });
  const kept = isNested ? sorted : given;
  const together: Axis[] = [];
  for (const axis of kept) {
    const outer = together.at(-1);
    const isNext = outer?.read === axis.read * axis.extent && outer.write === axis.write * axis.extent;
    if (outer !== undefined && isNext) together[together.length - 1] = { ...axis, extent: outer.extent * axis.extent };
    else together.push(axis);
  }
  return together;
}

/** Whether a copy writes each element of a result of so many once: its axes nest without gaps. */
function coversAll({ axes, write }: Copy, size: number): boolean {
  let inside = 1;
  for (const axis of [...axes].reverse()) {
    if (axis.write !== inside) return false;
    inside *= axis.extent;
  }
  return write === 0 && inside === size;
}

function fillAll(planner: Planner, to: number, size: number, bytes: number, fill: number): readonly Call[] {
  const low = fill & 0xff;
  const isOneByte =
    bytes === 1 || Array.from({ length: bytes }, (_, i) => (fill >> (8 * i)) & 0xff).every((b) => b === low);
  if (isOneByte) return [planner.call(FUNCTIONS.fill, to, size * bytes, low)];
  const { memory } = planner.machine;
  const lane = bytes === 2 ? "i16" : "i32";
  return [() => memory.codes(lane, to, size).fill(fill)];
}

function callsOf(planner: Planner, { from, read, write, axes }: Copy, to: number, bytes: number): readonly Call[] {
  const last = axes.at(-1) ?? ONE;
  const isSideBySide = axes.length === 0 || (last.read === 1 && last.write === 1);
  const outer = axes.slice(0, -1);
  const inside = Array.from({ length: OUTER_AXES }, (_, i) => outer.at(i - OUTER_AXES) ?? ONE).flatMap(numbersOf);
  const source = planner.address(from);
  return startsOf(outer.slice(0, -OUTER_AXES), from).map((start) => {
    const [at, target] = [source + (read + start.read) * bytes, to + (write + start.write) * bytes];
    return isSideBySide
      ? planner.call(FUNCTIONS.copyRows, at, target, ...inside, last.extent * bytes)
      : planner.call(FUNCTIONS.copyElements(bytes), at, target, ...inside, ...numbersOf(last));
  });

  function numbersOf({ extent, read: reads, write: writes }: Axis): readonly number[] {
    return [extent, reads * bytes, writes * bytes];
  }
}

const ONE: Axis = { extent: 1, read: 0, write: 0 };
/** Of one part: a program that asks for more is not written by us. */
const MOST_CALLS = 2 ** 20;

interface Start {
  readonly read: number;
  readonly write: number;
}

/** Where the copies of the inner axes begin. @throws LutraError "infeasible" */
function startsOf(axes: readonly Axis[], from: string): readonly Start[] {
  if (axes.reduce((count, { extent }) => count * extent, 1) > MOST_CALLS) {
    throw new LutraError("infeasible", `the part of ${from} is in more than ${MOST_CALLS} pieces`);
  }
  return axes.reduce<readonly Start[]>(
    (starts, { extent, read, write }) =>
      starts.flatMap((start) =>
        Array.from({ length: extent }, (_, i) => ({ read: start.read + i * read, write: start.write + i * write })),
      ),
    [{ read: 0, write: 0 }],
  );
}
