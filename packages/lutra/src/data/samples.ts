// A set of samples in memory, as stored: one array per input (converted only when a batch is cut), the samples' real lengths, and the
// right answers. Every array counts the same samples; lengths and answers are checked here, values when they are used.

import { LutraError, type Numbers, sizeOf } from "../base/index.ts";
import { random } from "../num/index.ts";
import type {
  CarriedInput,
  CompanionInput,
  ConstantInput,
  ElementType,
  FileInput,
  InputSource,
  InputSources,
  LengthSource,
  RandomInput,
  TargetSource,
} from "./description.ts";
import type { SampleReader, StoredArray } from "./files.ts";
import { checkCount, toIntegers } from "./integers.ts";
import { cutWindows } from "./signal.ts";
import { loadTargets, type Target } from "./targets.ts";
import { loadTexts, type OpenTokenizer } from "./tokenize.ts";

/** One input of all samples. `shape` is one sample's; `data` holds them one after the other, or once for all of a "constant". */
export interface StoredInput {
  readonly kind: "stored" | "constant";
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

export interface Samples {
  readonly count: number;
  readonly inputs: Readonly<Record<string, SampleInput>>;
  /** Per sample, if they differ; 1 to the stored length. */
  readonly lengths: Int32Array | null;
  readonly targets: readonly Target[] | null;
}

/** Reads all files that the sources name. @throws LutraError "bad-data", "io", or "unsupported" (texts without a tokenizer) */
export async function loadSamples(
  sources: InputSources,
  target: TargetSource | null,
  read: SampleReader,
  open: OpenTokenizer | null,
): Promise<Samples> {
  const arrays = new Map<string, StoredArray>();
  for (const [name, source] of Object.entries(sources)) {
    if (source.from === "file") arrays.set(name, await readInput(source, read));
    else if (source.from === "text") arrays.set(name, checkLengths(await loadTexts(source, read, open)));
    else if (source.from === "random") arrays.set(name, randomArray(source, name));
  }
  const { count, lengths } = agreement([...arrays.values()]);
  const inputs = Object.entries(sources).map(([name, source]) => [name, sampleInput(name, source, arrays)] as const);
  const targets = target === null ? null : await loadTargets(target, { inputs: arrays, lengths, count }, read);
  return { count, inputs: Object.fromEntries(inputs), lengths, targets };
}

/** The array of an input, with the lengths that the description gives it. */
async function readInput(source: FileInput, read: SampleReader): Promise<StoredArray> {
  const stored = await read.numbers(source);
  const array = source.windows ? { ...stored, ...cutWindows(stored, source.windows, stored.name) } : stored;
  if (source.length === undefined) return checkLengths(array);
  return checkLengths({ ...array, lengths: await readLengths(source.length, array, read) });
}

function checkLengths(array: StoredArray): StoredArray {
  const { shape, lengths, name } = array;
  if (sizeOf(shape) === 0) throw new LutraError("bad-data", "the dataset is empty", { where: name });
  if (lengths !== null && shape.length < 2) {
    throw new LutraError("bad-data", "samples that are single numbers have no length", { where: name });
  }
  const empty = lengths?.indexOf(0) ?? -1;
  if (empty >= 0) throw new LutraError("bad-data", "the sample is empty", { where: `${name}: sample ${empty}` });
  return array;
}

/** Most numbers of an input that is made rather than read: 512 MiB. */
const MAX_MADE_NUMBERS: number = 2 ** 26;

function checkMade(shape: readonly number[], name: string): void {
  if (sizeOf(shape) <= MAX_MADE_NUMBERS) return;
  throw new LutraError("bad-data", `shape [${shape.join(", ")}] exceeds the limit of ${MAX_MADE_NUMBERS} numbers`, {
    where: name,
  });
}

function randomArray({ count, shape, below, seed }: RandomInput, input: string): StoredArray {
  const name = `random input "${input}"`;
  checkMade([count, ...shape], name);
  const { below: draw } = random(seed);
  const data = Float64Array.from({ length: count * sizeOf(shape) }, () => draw(below));
  return { shape: [count, ...shape], data, lengths: null, name };
}

/** How many samples the arrays count, and how long each is where they say so. @throws LutraError "bad-data" if they disagree */
function agreement(arrays: readonly StoredArray[]): { readonly count: number; readonly lengths: Int32Array | null } {
  const [first] = arrays;
  const [count] = first.shape;
  for (const { shape, name } of arrays) checkCount(shape[0], name, count, first.name);
  const [measured, ...others] = arrays.filter(({ lengths }) => lengths !== null);
  for (const { lengths, name } of others) {
    const sample = lengths?.findIndex((length, i) => length !== measured.lengths?.[i]) ?? -1;
    if (sample < 0) continue;
    const message = `the sample has length ${lengths?.[sample]}, but ${measured.lengths?.[sample]} in ${measured.name}`;
    throw new LutraError("bad-data", message, { where: `${name}: sample ${sample}` });
  }
  return { count, lengths: measured?.lengths ?? null };
}

function sampleInput(name: string, source: InputSource, arrays: ReadonlyMap<string, StoredArray>): SampleInput {
  if ("of" in source) return companion(name, source, arrays);
  if (source.from === "constant" || source.from === "carry") return constant(name, source);
  const array = arrayOf(name, arrays);
  const stored = array.shape.slice(1);
  const shape = (source.from === "text" ? undefined : source.shape) ?? stored;
  const hasLengths = array.lengths !== null;
  // Lengths count along the first axis: that must stay what the file stores.
  if (sizeOf(shape) !== sizeOf(stored) || (hasLengths && shape[0] !== stored[0])) {
    const message = `one sample is [${stored.join(", ")}], not [${shape.join(", ")}]`;
    throw new LutraError("bad-data", message, { where: `input "${name}"` });
  }
  const { scale, mean, std } = source.from === "file" ? source : { scale: 1, mean: 0, std: 1 };
  return { kind: "stored", type: source.type, shape, data: array.data, scale, mean, std, hasLengths, name: array.name };
}

/** A carried state begins at 0; what it becomes is known only when the model has run. */
function constant(name: string, source: ConstantInput | CarriedInput): StoredInput {
  const { shape, type } = source;
  checkMade(shape, `input "${name}"`);
  const data = new Float64Array(sizeOf(shape)).fill(source.from === "constant" ? source.value : 0);
  const identity = { scale: 1, mean: 0, std: 1 };
  return { kind: "constant", type, shape, data, ...identity, hasLengths: false, name: `input "${name}"` };
}

function companion(
  name: string,
  { from, of, type }: CompanionInput,
  arrays: ReadonlyMap<string, StoredArray>,
): CompanionRows {
  const { shape, lengths } = arrayOf(of, arrays);
  if (shape.length < 2) {
    throw new LutraError("bad-data", `one sample of "${of}" is a single number`, { where: `input "${name}"` });
  }
  return { kind: from, type, shape: [shape[1]], hasLengths: lengths !== null };
}

function arrayOf(name: string, arrays: ReadonlyMap<string, StoredArray>): StoredArray {
  const array = arrays.get(name);
  if (array === undefined) throw new TypeError(`input "${name}" was not read`);
  return array;
}

async function readLengths(source: LengthSource, array: StoredArray, read: SampleReader): Promise<Int32Array> {
  const [count, extent = 1] = array.shape;
  if ("pad" in source) return lengthsWithoutPadding(array, source.pad);
  const lengths = await read.numbers(source);
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
