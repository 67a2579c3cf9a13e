// A set of samples in memory, as stored: one array per input (converted only when a batch is cut), the samples' real lengths, and the
// right answers. Every array counts the same samples; lengths and answers are checked here, values when they are used.

import { LutraError, type Numbers, sizeOf } from "../base/index.ts";
import { random } from "../num/index.ts";
import type {
  ElementType,
  FileInput,
  InputSource,
  InputSources,
  LengthSource,
  RandomInput,
  TargetSource,
} from "./description.ts";
import type { ArrayReader, StoredArray } from "./files.ts";
import { checkSize } from "./npy.ts";

/** One input of all samples. `shape` is one sample's; `data` holds them one after the other. */
export interface StoredInput {
  readonly kind: "stored";
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Numbers;
  /** value = (stored * scale - mean) / std */
  readonly scale: number;
  readonly mean: number;
  readonly std: number;
  /** Whether the samples' lengths are this input's: only so much of its first axis is real. */
  readonly hasLengths: boolean;
  /** Where the values come from, for messages. */
  readonly name: string;
}

/** 1 where the samples are real and 0 in the padding, or 0 everywhere; as long as the input it goes with. */
export interface CompanionRows {
  readonly kind: "mask" | "zeros";
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly hasLengths: boolean;
}

export type SampleInput = StoredInput | CompanionRows;

/** What is asked of one sample: the output's rows (positions) and the right class of each. Same length. */
export interface Target {
  readonly rows: Int32Array;
  readonly classes: Int32Array;
}

export interface Samples {
  readonly count: number;
  readonly inputs: Readonly<Record<string, SampleInput>>;
  /** Per sample, if they differ; 1 to the stored length. */
  readonly lengths: Int32Array | null;
  readonly targets: readonly Target[] | null;
}

/** Reads all files that the sources name. @throws LutraError "bad-data" or "io" */
export async function loadSamples(
  sources: InputSources,
  target: TargetSource | null,
  read: ArrayReader,
): Promise<Samples> {
  const stored: Record<string, StoredInput> = {};
  let lengths: Int32Array | null = null;
  for (const [name, source] of Object.entries(sources)) {
    if (source.from === "random") stored[name] = randomInput(source, name);
    else if (source.from === "file") {
      const array = await read(source);
      const own = source.length === undefined ? array.lengths : await readLengths(source.length, array, read);
      lengths = own ?? lengths;
      stored[name] = storedInput(source, array, own !== null, name);
    }
  }
  const count = commonCount(stored);
  const inputs = Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, stored[name] ?? companion(source, stored)]),
  );
  const targets = target === null ? null : await loadTargets(target, stored, lengths, count, read);
  return { count, inputs, lengths, targets };
}

function storedInput(source: FileInput, array: StoredArray, hasLengths: boolean, name: string): StoredInput {
  const [count, ...stored] = array.shape;
  const shape = source.shape ?? stored;
  if (sizeOf(shape) !== sizeOf(stored)) {
    throw new LutraError("bad-data", `one sample is [${stored.join(", ")}], not [${shape.join(", ")}]`, {
      where: `input "${name}"`,
    });
  }
  if (count === 0) throw new LutraError("bad-data", "the dataset is empty", { where: array.name });
  if (hasLengths && shape.length === 0) {
    throw new LutraError("bad-data", "samples that are single numbers have no length", { where: `input "${name}"` });
  }
  const { type, scale, mean, std } = source;
  return { kind: "stored", type, shape, data: array.data, scale, mean, std, hasLengths, name: array.name };
}

function randomInput({ type, count, shape, below, seed }: RandomInput, name: string): StoredInput {
  checkSize([count, ...shape], `input "${name}"`);
  const { below: draw } = random(seed);
  const data = Float64Array.from({ length: count * sizeOf(shape) }, () => draw(below));
  return { kind: "stored", type, shape, data, scale: 1, mean: 0, std: 1, hasLengths: false, name: `random "${name}"` };
}

function companion(source: InputSource, stored: Readonly<Record<string, StoredInput>>): CompanionRows {
  if (source.from !== "mask" && source.from !== "zeros") throw new TypeError("not a companion");
  const { shape, hasLengths } = stored[source.of];
  return { kind: source.from, type: source.type, shape: shape.slice(0, 1), hasLengths };
}

function countOf({ data, shape }: StoredInput): number {
  return data.length / sizeOf(shape);
}

function commonCount(stored: Readonly<Record<string, StoredInput>>): number {
  const [first, ...others] = Object.values(stored);
  const count = countOf(first);
  for (const other of others) checkCount(countOf(other), other.name, count, first.name);
  return count;
}

function checkCount(found: number, name: string, count: number, first: string): void {
  if (found !== count) throw new LutraError("bad-data", `${found} samples, but ${count} in ${first}`, { where: name });
}

async function readLengths(source: LengthSource, array: StoredArray, read: ArrayReader): Promise<Int32Array> {
  const [count, extent = 1] = array.shape;
  if ("pad" in source) return lengthsWithoutPadding(array, source.pad);
  const lengths = await read(source);
  checkCount(lengths.data.length, lengths.name, count, array.name);
  return toIntegers(lengths.data, 1, extent, lengths.name);
}

/** Index of the last value that is not padding, plus 1; at least 1. Samples must be lists of numbers. */
function lengthsWithoutPadding({ shape, data, name }: StoredArray, pad: number): Int32Array {
  if (shape.length !== 2) {
    throw new LutraError(
      "bad-data",
      `padding is found in lists of numbers, one sample is [${shape.slice(1).join(", ")}]`,
      { where: name },
    );
  }
  const [count, extent] = shape;
  return Int32Array.from({ length: count }, (_, i) => {
    let length = extent;
    while (length > 1 && Number(data[i * extent + length - 1]) === pad) length--;
    return length;
  });
}

/** Whole numbers between lo and hi, one per sample. @throws LutraError "bad-data", naming the sample */
function toIntegers(data: Numbers, lo: number, hi: number, name: string): Int32Array {
  return Int32Array.from({ length: data.length }, (_, i) => {
    const value = Number(data[i]);
    if (Number.isInteger(value) && value >= lo && value <= hi) return value;
    throw new LutraError("bad-data", `must be a whole number between ${lo} and ${hi}, got ${value}`, {
      where: `${name}: sample ${i}`,
    });
  });
}

// targets -------------------------------------------------------------------------------------------------------------

/** Most classes an output can have. */
const MAX_CLASS = 2 ** 24;

async function loadTargets(
  target: TargetSource,
  stored: Readonly<Record<string, StoredInput>>,
  lengths: Int32Array | null,
  count: number,
  read: ArrayReader,
): Promise<readonly Target[]> {
  if (target.kind === "next-token") return nextTokens(stored[target.input], target.input, lengths);
  const array = await read(target);
  checkCount(array.shape[0], array.name, count, "the inputs");
  const perSample = array.data.length / count;
  if (target.kind === "masked-token") return maskedTokens(array, perSample, target.ignore, lengths);
  if (perSample !== 1) {
    throw new LutraError("bad-data", `labels are one number per sample, got shape (${array.shape.join(", ")})`, {
      where: array.name,
      note: 'for one class per position, use "kind": "masked-token"',
    });
  }
  const classes = toIntegers(array.data, 0, MAX_CLASS, array.name);
  return Array.from(classes, (label) => ({ rows: Int32Array.of(0), classes: Int32Array.of(label) }));
}

/** Position p is answered by the token at p + 1, up to the sample's last. */
function nextTokens(ids: StoredInput | undefined, name: string, lengths: Int32Array | null): readonly Target[] {
  if (ids === undefined || ids.shape.length !== 1) {
    throw new LutraError("bad-data", "next-token needs an input of token ids, one list per sample", {
      where: `input "${name}"`,
    });
  }
  const [extent] = ids.shape;
  return Array.from({ length: countOf(ids) }, (_, sample) => {
    const length = lengths?.[sample] ?? extent;
    const row: Numbers = ids.data.slice(sample * extent + 1, sample * extent + length);
    return {
      rows: Int32Array.from({ length: row.length }, (_, i) => i),
      classes: toIntegers(row, 0, MAX_CLASS, `${ids.name}: sample ${sample}`),
    };
  });
}

function maskedTokens(
  array: StoredArray,
  perSample: number,
  ignore: number,
  lengths: Int32Array | null,
): readonly Target[] {
  return Array.from({ length: array.shape[0] }, (_, sample) => {
    const labels = Array.from({ length: perSample }, (_, i) => Number(array.data[sample * perSample + i]));
    const rows = labels.flatMap((label, position) => (label === ignore ? [] : [position]));
    const length = lengths?.[sample] ?? perSample;
    const where = `${array.name}: sample ${sample}`;
    if ((rows.at(-1) ?? 0) >= length) {
      throw new LutraError("bad-data", `position ${rows.at(-1)} is asked for, the sample has ${length}`, { where });
    }
    return {
      rows: Int32Array.from(rows),
      classes: toIntegers(
        Float64Array.from(rows, (row) => labels[row]),
        0,
        MAX_CLASS,
        where,
      ),
    };
  });
}
