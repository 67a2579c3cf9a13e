// The right answers of a dataset: which rows of the output are judged, and the class that is right in each. One form for all kinds:
// a label is row 0; a next token is judged where the token before it stands; a masked token where it was masked.

import { LutraError, type Numbers } from "../base/index.ts";
import type { FileReference, TargetSource, TextReference } from "./description.ts";
import type { SampleReader, StoredArray } from "./files.ts";
import { checkCount, toIntegers } from "./integers.ts";

/** What is asked of one sample: the output's rows (positions) and the right class of each. Same length. */
export interface Target {
  readonly rows: Int32Array;
  readonly classes: Int32Array;
}

/** What answers are checked against: the samples' inputs that come from files, their lengths, and how many there are. */
export interface Answered {
  readonly inputs: ReadonlyMap<string, StoredArray>;
  readonly lengths: Int32Array | null;
  readonly count: number;
}

/** Most classes an output can have. */
const MAX_CLASS = 2 ** 24;

/** One target per sample. @throws LutraError "bad-data", naming the sample */
export async function loadTargets(
  target: TargetSource,
  samples: Answered,
  read: SampleReader,
): Promise<readonly Target[]> {
  if (target.kind === "next-token") return nextTokens(target.input, samples);
  if (target.kind === "labels") return labels(target, samples, read);
  const array = await readAnswers(target, samples.count, read);
  return maskedTokens(array, array.data.length / samples.count, target.ignore, samples.lengths);
}

async function readAnswers(reference: FileReference, count: number, read: SampleReader): Promise<StoredArray> {
  const array = await read.numbers(reference);
  checkCount(array.shape[0], array.name, count, "the inputs");
  return array;
}

type Labels = Extract<TargetSource, { kind: "labels" }>;

async function labels(target: Labels, samples: Answered, read: SampleReader): Promise<readonly Target[]> {
  const classes = "text" in target ? await namedClasses(target, samples, read) : await numbers(target, samples, read);
  const marks = target.at === undefined ? null : marksOf(target.at, samples);
  return Array.from(classes, (label, i) => ({ rows: Int32Array.of(marks?.[i] ?? 0), classes: Int32Array.of(label) }));
}

async function numbers(target: FileReference, { count }: Answered, read: SampleReader): Promise<Int32Array> {
  const array = await readAnswers(target, count, read);
  if (array.data.length !== count) {
    throw new LutraError("bad-data", `labels are one number per sample, got shape (${array.shape.join(", ")})`, {
      where: array.name,
      note: 'for one class per position, use "kind": "masked-token"',
    });
  }
  return toIntegers(array.data, 0, MAX_CLASS, array.name);
}

async function namedClasses(
  { text, classes: file }: Extract<Labels, { text: TextReference }>,
  { count }: Answered,
  read: SampleReader,
): Promise<Int32Array> {
  const [texts, classes] = [await read.texts(text), await read.object(file)];
  const name = `${text.file}: ${text.column}`;
  checkCount(texts.length, name, count, "the inputs");
  const found = texts.map((label, sample) => {
    if (Object.hasOwn(classes, label)) return Number(classes[label]);
    throw new LutraError("bad-data", `"${label.slice(0, 40)}" is not a class of ${file}`, {
      where: `${name}: sample ${sample}`,
    });
  });
  return toIntegers(Float64Array.from(found), 0, MAX_CLASS, name);
}

/** Where the texts of an input are marked. */
function marksOf(input: string, { inputs }: Answered): Int32Array {
  const array = inputs.get(input);
  const missing = array?.marks?.indexOf(-1);
  if (array?.marks !== undefined && missing === -1) return array.marks;
  throw new LutraError("bad-data", missing === undefined ? "the input is no marked text" : "the text has no mark", {
    where: missing === undefined ? `input "${input}"` : `${array?.name}: sample ${missing}`,
    note: 'give its tokenizer the "mark" that the texts have',
  });
}

/** Position p is answered by the token at p + 1, up to the sample's last. */
function nextTokens(input: string, { inputs, lengths, count }: Answered): readonly Target[] {
  const ids = inputs.get(input);
  if (ids?.shape.length !== 2) {
    throw new LutraError("bad-data", "next-token needs token ids, one list per sample", { where: `input "${input}"` });
  }
  const [, extent] = ids.shape;
  return Array.from({ length: count }, (_, sample) => {
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
    const classes = Float64Array.from(rows, (row) => labels[row]);
    return { rows: Int32Array.from(rows), classes: toIntegers(classes, 0, MAX_CLASS, where) };
  });
}
