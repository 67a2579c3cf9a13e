// From a reference to numbers or texts: reads each file once, tells its format from its first bytes (binary) or its ending (text), and
// picks the array, column or member that is asked for. Knows formats, not datasets.

import { LutraError, type Tensor } from "../base/index.ts";
import { gunzip, isGzip, isZip, readNpz } from "./compressed.ts";
import type { FileReference, TextReference } from "./description.ts";
import { isIdx, readIdx } from "./idx.ts";
import { isNpy, readNpy } from "./npy.ts";
import {
  columnsOf,
  decodeText,
  memberOf,
  memberTextsOf,
  type RaggedTensor,
  readCsv,
  readJsonl,
  readTsv,
  textsOf,
} from "./text.ts";
import { isWav, readWav } from "./wav.ts";

/** Reads a file by the path that the description gives. It decides what the path is relative to. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** An array with its file's name for messages; `lengths` only where lists differ. */
export interface StoredArray extends RaggedTensor {
  readonly name: string;
  /** Of texts: where each one's mark points, -1 without one. */
  readonly marks?: Int32Array;
}

/** Picks from one parsed file. */
type Pick = (reference: ArrayReference) => Tensor & { readonly lengths?: Int32Array | null };

export interface ArrayReference extends FileReference {
  /** Several columns of a .csv or .tsv. */
  readonly columns?: readonly string[];
}

/** Reads what a description refers to. Everything throws LutraError "io" if a file cannot be read, "bad-data" if it is not what it should be. */
export interface SampleReader {
  numbers(reference: ArrayReference): Promise<StoredArray>;
  texts(reference: TextReference): Promise<readonly string[]>;
  /** The members of a JSON object. */
  object(file: string): Promise<Readonly<Record<string, unknown>>>;
  /** A text file's lines, without a last empty one. */
  lines(file: string): Promise<readonly string[]>;
}

/** A reader that opens every file once. */
export function sampleReader(readFile: ReadFile): SampleReader {
  const contentOf = once((file) => readContent(file, readFile));
  const pickFrom = once(async (file) => parse(await contentOf(file), file));
  const textOf = async (file: string): Promise<string> => decodeText(await contentOf(file), file);
  return {
    async numbers(reference) {
      const { shape, data, lengths } = (await pickFrom(reference.file))(reference);
      const name = reference.key === undefined ? reference.file : `${reference.file}: ${reference.key}`;
      if (shape.length === 0) throw new LutraError("bad-data", "a single number has no samples", { where: name });
      return { shape, data, lengths: lengths ?? null, name };
    },
    texts: async (reference) => parseTexts(await contentOf(reference.file), reference),
    object: async (file) => parseObject(await textOf(file), file),
    lines: async (file) => (await textOf(file)).replace(/\r?\n$/, "").split(/\r?\n/),
  };
}

function once<T>(make: (file: string) => Promise<T>): (file: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (file) => {
    const value = made.get(file) ?? make(file);
    made.set(file, value);
    return value;
  };
}

async function readContent(file: string, readFile: ReadFile): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("io", `cannot read the file: ${reason}`, { where: file, cause });
  }
  return isGzip(bytes) ? gunzip(bytes, file) : bytes;
}

function parse(bytes: Uint8Array, file: string): Pick {
  if (isNpy(bytes)) return wholeFile(readNpy(bytes, file));
  if (isZip(bytes)) return byKey(readNpz(bytes, file));
  if (isIdx(bytes)) return wholeFile(readIdx(bytes, file));
  if (isWav(bytes)) return wholeFile(readWav(bytes, file));
  switch (endingOf(file)) {
    case "csv":
      return byColumns(readCsv(bytes, file));
    case "tsv":
      return byColumns(readTsv(bytes, file));
    case "jsonl": {
      const lines = readJsonl(bytes, file);
      return (reference) => memberOf(lines, keyOf(reference), file);
    }
    default:
      throw new LutraError("bad-data", "the file is none of .npy, .npz, idx, .wav, .csv, .tsv, .jsonl", {
        where: file,
      });
  }
}

function endingOf(file: string): string | undefined {
  return /\.(csv|tsv|jsonl)(\.gz)?$/i.exec(file)?.[1].toLowerCase();
}

function parseTexts(bytes: Uint8Array, { file, column }: TextReference): readonly string[] {
  const hasHeader = typeof column === "string";
  switch (endingOf(file)) {
    case "csv":
      return textsOf(readCsv(bytes, file, hasHeader), `${column}`, file);
    case "tsv":
      return textsOf(readTsv(bytes, file, hasHeader), `${column}`, file);
    case "jsonl":
      return memberTextsOf(readJsonl(bytes, file), `${column}`, file);
    default:
      throw new LutraError("bad-data", "texts are read from .csv, .tsv and .jsonl", { where: file });
  }
}

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LutraError("bad-data", "the file is not JSON", { where: file, cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new LutraError("bad-data", "the file is not a JSON object", { where: file });
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
