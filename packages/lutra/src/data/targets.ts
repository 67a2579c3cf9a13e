// The right answers of a dataset: which rows of the output are judged, and the class that is right in each. One form for all kinds:
// a label is row 0; a next token is judged where the token before it stands; a masked token where it was masked.

import { LutraError, type Numbers } from "../base/index.ts";
import type { TargetSource } from "./description.ts";
import type { ArrayReader, StoredArray } from "./files.ts";
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
  read: ArrayReader,
): Promise<readonly Target[]> {
  if (target.kind === "next-token") return nextTokens(target.input, samples);
  const { count, lengths } = samples;
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
