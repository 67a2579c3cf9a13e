// From a file reference to an array: reads each file once, tells its format from its first bytes (binary) or its ending (text), and
// picks the array, column or member that is asked for. Knows formats, not datasets.

import { LutraError, type Tensor } from "../base/index.ts";
import { gunzip, isGzip, isZip, readNpz } from "./compressed.ts";
import type { FileReference } from "./description.ts";
import { isIdx, readIdx } from "./idx.ts";
import { isNpy, readNpy } from "./npy.ts";
import { columnsOf, memberOf, type RaggedTensor, readCsv, readJsonl, readTsv } from "./text.ts";

/** Reads a file by the path that the description gives. It decides what the path is relative to. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** An array with its file's name for messages; `lengths` only where a .jsonl member is ragged. */
export interface StoredArray extends RaggedTensor {
  readonly name: string;
}

/** Picks from one parsed file. */
type Pick = (reference: ArrayReference) => Tensor & { readonly lengths?: Int32Array | null };

export interface ArrayReference extends FileReference {
  /** Several columns of a .csv or .tsv. */
  readonly columns?: readonly string[];
}

export type ArrayReader = (reference: ArrayReference) => Promise<StoredArray>;

/** A reader that opens every file once. It throws LutraError "io" if the file cannot be read, "bad-data" if it is not what it should be. */
export function arrayReader(readFile: ReadFile): ArrayReader {
  const opened = new Map<string, Promise<Pick>>();
  return async (reference) => {
    const pick = opened.get(reference.file) ?? open(reference.file, readFile);
    opened.set(reference.file, pick);
    const { shape, data, lengths } = (await pick)(reference);
    const name = reference.key === undefined ? reference.file : `${reference.file}: ${reference.key}`;
    if (shape.length === 0) throw new LutraError("bad-data", "a single number has no samples", { where: name });
    return { shape, data, lengths: lengths ?? null, name };
  };
}

async function open(file: string, readFile: ReadFile): Promise<Pick> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("io", `cannot read the file: ${reason}`, { where: file, cause });
  }
  return parse(isGzip(bytes) ? gunzip(bytes, file) : bytes, file);
}

function parse(bytes: Uint8Array, file: string): Pick {
  if (isNpy(bytes)) return wholeFile(readNpy(bytes, file));
  if (isZip(bytes)) return byKey(readNpz(bytes, file));
  if (isIdx(bytes)) return wholeFile(readIdx(bytes, file));
  const ending = /\.(csv|tsv|jsonl)(\.gz)?$/i.exec(file)?.[1].toLowerCase();
  switch (ending) {
    case "csv":
      return byColumns(readCsv(bytes, file));
    case "tsv":
      return byColumns(readTsv(bytes, file));
    case "jsonl": {
      const lines = readJsonl(bytes, file);
      return (reference) => memberOf(lines, keyOf(reference), file);
    }
    default:
      throw new LutraError("bad-data", "the file is none of .npy, .npz, idx, .csv, .tsv, .jsonl", { where: file });
  }
}

function wholeFile(tensor: Tensor): Pick {
  return ({ file, key }) => {
    if (key === undefined) return tensor;
    throw new LutraError("bad-data", `the file holds one array, none is called "${key}"`, {
      where: file,
      note: "leave the key out",
    });
  };
}

function byKey(arrays: Readonly<Record<string, Tensor>>): Pick {
  return ({ file, key }) => {
    const keys = Object.keys(arrays);
    const found = key ?? (keys.length === 1 ? keys[0] : undefined);
    if (found !== undefined && Object.hasOwn(arrays, found)) return arrays[found];
    const message = key === undefined ? "which array of the file is meant?" : `there is no array "${key}"`;
    throw new LutraError("bad-data", message, {
      where: file,
      note: `set "key" to one of: ${keys.slice(0, 20).join(", ")}`,
    });
  };
}

function byColumns(table: ReturnType<typeof readCsv>): Pick {
  return (reference) => columnsOf(table, reference.columns ?? [keyOf(reference)], reference.file);
}

function keyOf({ file, key }: FileReference): string {
  if (key !== undefined) return key;
  throw new LutraError("bad-data", "which column of the file is meant?", {
    where: file,
    note: 'set "key" to its name',
  });
}
