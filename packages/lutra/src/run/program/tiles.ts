// Kernels over tiles: where the arrays of each block of rows begin, and how few calls there need be.

import { sizeOf } from "../../base/index.ts";
import { laneBits, type Over } from "../../kernel/index.ts";
import { axesOver, repeatedPlaces, type Step } from "../../program/index.ts";
import type { KernelFunction, Port } from "../../target/wasm/index.ts";
import type { Call, Planned, Planner } from "./planner.ts";

/** Columns that SIMD computes at once. */
export const STEP_COLUMNS = 16;

/** An array of a kernel: of which tensor, and which of its blocks belongs to each block of the tile. */
export interface PlacedPort {
  readonly tensor: string;
  readonly over: Over;
  readonly bytes: number;
  readonly blocks: Int32Array;
  /** Whether the blocks lie one after another, or are one for all. */
  readonly isInOrder: boolean;
  readonly isOne: boolean;
}

export interface Tile {
  /** Leading axes. */
  readonly outer: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

/** The arrays of a kernel on a tile, in the order of its function's addresses. */
export function portsOn(
  planner: Planner,
  { params, results }: KernelFunction,
  tile: Tile,
  argumentOf: (name: string) => string | null,
  resultNames: readonly string[],
): readonly (PlacedPort | null)[] {
  const port = ({ lane, over }: Port, tensor: string): PlacedPort => {
    const { shape } = planner.tensor(tensor);
    const blocks = repeatedPlaces(tile.outer, shape.slice(0, shape.length - axesOver(over)));
    return {
      tensor,
      over,
      bytes: laneBits(lane) / 8,
      blocks,
      isInOrder: blocks.every((block, i) => block === i),
      isOne: blocks.every((block) => block === 0),
    };
  };
  const inputs = params.map((param) => {
    const tensor = argumentOf(param.name);
    return tensor === null ? null : port(param, tensor);
  });
  return [...inputs, ...results.map((result, i) => port(result, resultNames[i] as string))];
}

/** Whether the blocks of a tile are one block with all their rows. */
export function isOneBlock(ports: readonly (PlacedPort | null)[]): boolean {
  return ports.every((port) => {
    if (port === null) return true;
    return port.over === "element" || port.over === "row" ? port.isInOrder : port.isOne;
  });
}

/** Where a port's numbers for a block of the tile begin, from a row and a column of it on. */
export function addressIn(
  planner: Planner,
  { tensor, over, bytes, blocks }: PlacedPort,
  { rows, columns }: Tile,
  { block, row, column }: { readonly block: number; readonly row: number; readonly column: number },
): number {
  const at = blocks[block] as number;
  const places = {
    element: (at * rows + row) * columns + column,
    row: at * rows + row,
    column: at * columns + column,
    one: at,
  };
  return planner.address(tensor) + places[over] * bytes;
}

export function scratchBytes({ scratchBytesPerColumn }: KernelFunction, columns: number): number {
  return scratchBytesPerColumn * Math.ceil(columns / STEP_COLUMNS) * STEP_COLUMNS;
}

/** Blocks of a tile that one call computes: from the first on, so many. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/** As few as there can be: in a run, the blocks of what has rows lie one after another, and all else is one for all. */
function runsOf(ports: readonly PlacedPort[], blocks: number): readonly Run[] {
  const follows = (block: number): boolean =>
    ports.every(({ over, blocks: of }) => {
      const step = (of[block] as number) - (of[block - 1] as number);
      return step === (over === "element" || over === "row" ? 1 : 0);
    });
  const runs: Run[] = [];
  for (let first = 0; first < blocks; ) {
    let end = first + 1;
    while (end < blocks && follows(end)) end++;
    runs.push({ first, count: end - first });
    first = end;
  }
  return runs;
}

export function planKernel(planner: Planner, step: Step & { readonly op: "kernel" }): Planned {
  const fn = planner.machine.module.kernels.get(step.kernel) as KernelFunction;
  const shape = step.tile.map((size) => planner.size(size));
  const [rows, columns] = shape.slice(-2) as [number, number];
  const tile: Tile = { outer: shape.slice(0, -2), rows, columns };
  const blocks = sizeOf(tile.outer);
  if (blocks * rows * columns === 0) return () => [];
  const ports = portsOn(planner, fn, tile, (name) => step.arguments[name] as string, step.results) as PlacedPort[];
  const scratch = planner.slot(scratchBytes(fn, columns));
  return () =>
    runsOf(ports, blocks).map(({ first, count }): Call => {
      const addresses = ports.map((port) => addressIn(planner, port, tile, { block: first, row: 0, column: 0 }));
      return fn.kind === "elements"
        ? planner.call(fn.name, ...addresses, count * rows * columns)
        : planner.call(fn.name, ...addresses, scratch.address, count * rows, columns);
    });
}
