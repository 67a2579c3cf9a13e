// Where a run's arrays and intermediate values are in the room of a kernel's memory: arrays from elsewhere are copied there in parts of so many
// whole rows that a part stays in cache.

import type { EmittedModule, Port } from "../target/wasm/index.ts";
import { type Extent, sizeOver } from "./call.ts";
import { bytesOf, type Codes, codesAt } from "./codes.ts";
import { aligned, type Workspace } from "./workspace.ts";

/** All arrays of one part: they fit a second-level cache, whose half this is or less. */
const PART_BYTES = 128 * 1024;
/**
 * Between arrays: where two are a multiple of 4096 bytes apart, a processor takes a load for one of what was just stored, and waits.
 */
export const STAGGER = 2112;
/** Loops work on up to so many elements at a time. */
const WHOLE_ELEMENTS = 64;
/** Scratch is given for columns in multiples of this. */
const SCRATCH_COLUMNS = 16;

/** What a module needs of a memory. `threads` have scratch of their own. */
export interface Needs extends Pick<EmittedModule, "params" | "results" | "isOverRows" | "scratchBytesPerColumn"> {
  readonly threads: number;
}

export interface Layout {
  readonly columns: number;
  /** The memory that the views are of. */
  readonly buffer: ArrayBufferLike;
  readonly scratch: number;
  /** Of each array's part; rows of one part. Without room for a row there are 0 rows, and no addresses and views. */
  readonly addresses: readonly number[];
  readonly rows: number;
  readonly views: readonly Codes[];
}

/** Bytes of scratch for one thread. */
export function scratchBytes({ scratchBytesPerColumn }: Needs, columns: number): number {
  return aligned(scratchBytesPerColumn * Math.ceil(columns / SCRATCH_COLUMNS) * SCRATCH_COLUMNS);
}

/** Bytes of room for a part of so many rows; 0 rows is scratch alone. */
export function roomBytes(needs: Needs, { rows, columns }: Extent): number {
  const scratch = needs.threads * scratchBytes(needs, columns);
  return rows === 0 ? scratch : scratch + fixedBytes(needs, columns) + rows * rowBytes(needs, columns);
}

/** Bytes of all arrays for one row; 0 if all rows share all of them. */
export function rowBytes(needs: Needs, columns: number): number {
  return bytesWhere(needs, columns, ({ over }) => over === "element" || over === "row");
}

/** Of arrays that all rows share, and of the gaps. */
function fixedBytes(needs: Needs, columns: number): number {
  const gaps = (needs.params.length + needs.results.length) * (aligned(1) + STAGGER);
  return gaps + bytesWhere(needs, columns, ({ over }) => over === "one" || over === "column");
}

function bytesWhere({ params, results }: Needs, columns: number, matches: (port: Port) => boolean): number {
  const ports = [...params, ...results].filter(matches);
  return ports.reduce((sum, { lane, over }) => sum + bytesOf(lane) * sizeOver(over, { rows: 1, columns }), 0);
}

/** Rows of a part of so many bytes: at least one, of elementwise kernels whole vectors. One where all rows share all arrays. */
export function rowsOfBytes(needs: Needs, columns: number, bytes: number): number {
  const each = rowBytes(needs, columns);
  const rows = each === 0 ? 1 : Math.floor(bytes / each);
  if (needs.isOverRows || rows < WHOLE_ELEMENTS) return Math.max(1, rows);
  return rows - (rows % WHOLE_ELEMENTS);
}

/** Where the arrays of a run are: in the kernel's memory, elsewhere, or both. */
export interface Whereabouts {
  readonly isInside: boolean;
  readonly isElsewhere: boolean;
}

/**
 * Room for scratch and, of arrays that are elsewhere, for at least a row.
 * @throws LutraError "infeasible" if the memory cannot grow, or a caller's region has too few bytes
 */
export function layOut(needs: Needs, workspace: Workspace, columns: number, where: Whereabouts): Layout {
  const wanted = rowsOfBytes(needs, columns, PART_BYTES);
  const most = workspace.mostBytes(where.isInside);
  const left = most - roomBytes(needs, { rows: 1, columns });
  const rows = left < 0 ? 0 : Math.min(wanted, 1 + Math.floor(left / Math.max(1, rowBytes(needs, columns))));
  const purpose = where.isElsewhere ? "copies of arrays that are elsewhere" : `rows of ${columns} columns`;
  const least = roomBytes(needs, { rows: where.isElsewhere ? 1 : 0, columns });
  if (least > most) throw workspace.tooSmall(least, purpose);
  const scratch = workspace.room(roomBytes(needs, { rows, columns }), purpose);
  const ports = rows === 0 ? [] : [...needs.params, ...needs.results];
  let end = scratch + needs.threads * scratchBytes(needs, columns);
  const sizes = ports.map(({ over }) => sizeOver(over, { rows, columns }));
  const addresses = ports.map(({ lane }, i) => {
    const address = end;
    end = aligned(address + bytesOf(lane) * (sizes[i] as number)) + STAGGER;
    return address;
  });
  const { buffer } = workspace;
  const views = ports.map(({ lane }, i) => codesAt(lane, buffer, addresses[i] as number, sizes[i] as number));
  return { columns, buffer, scratch, addresses, rows, views };
}
