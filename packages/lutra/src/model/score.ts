// Runs a session over a split of a dataset, keeps the logits that are asked for, and measures them. What a sample scores does not depend
// on what it is batched with. Two scores of the same split can be compared.

import {
  type Control,
  checkCancelled,
  LutraError,
  type Session,
  sizeOf,
  type Tensor,
  type Tensors,
} from "../base/index.ts";
import { type Batch, batches, countSamples, type Dataset, type Split } from "../data/index.ts";
import { carrying } from "./carry.ts";
import { type Comparison, compareLogits, type Logits, type Metrics, measure } from "./metrics.ts";

export interface Score {
  readonly split: Split;
  readonly samples: number;
  /** Rows that were judged: samples, or tokens. */
  readonly rows: number;
  /** As the dataset asks; {} without a target. */
  readonly metrics: Metrics;
  readonly logits: Logits;
}

export interface ScoreOptions {
  /** Samples per run, where the model takes batches. */
  readonly batchSize?: number;
  /** Name of the stage in progress reports. */
  readonly stage?: string;
}

const BATCH_SIZE = 32;
/** Most logits kept: 1 GiB. */
const MAX_LOGITS: number = 2 ** 28;

/**
 * The score of a session on a split. Without a target every row of the output is kept, for `compareScores`.
 * @param dataset fitted to the model (`fitDataset`) if the model's inputs have anything fixed
 * @throws LutraError "bad-data" if the split is empty or a sample is not finite; "mismatch" if the output does not fit the targets;
 *   "bad-model" if a logit is NaN; "cancelled"
 */
export async function score(
  session: Session,
  dataset: Dataset,
  split: Split,
  control: Control = {},
  options: ScoreOptions = {},
): Promise<Score> {
  const total = countSamples(dataset, split);
  if (total === 0) throw new LutraError("bad-data", `the ${split} split of "${dataset.name}" is empty`);
  const logits = await recordLogits(session, dataset, split, control, options);
  const rows = logits.samples.reduce((sum, { length }) => sum + length, 0) / logits.columns;
  if (rows === 0)
    throw new LutraError("bad-data", `no sample of the ${split} split asks for an answer`, { where: dataset.name });
  const { samples, indices } = dataset.parts[split];
  const { targets } = samples;
  const metrics =
    targets === null
      ? {}
      : measure(
          logits,
          Array.from(indices, (sample) => targets[sample]),
          dataset.metrics,
        );
  return { split, samples: total, rows, metrics, logits };
}

async function recordLogits(
  session: Session,
  dataset: Dataset,
  split: Split,
  control: Control,
  { batchSize = BATCH_SIZE, stage = "score" }: ScoreOptions,
): Promise<Logits> {
  const total = countSamples(dataset, split);
  const wanted = dataset.output === null ? undefined : [dataset.output];
  const samples: Float32Array[] = new Array(total);
  const run = carrying(session, dataset);
  let columns = 0;
  let kept = 0;
  let done = 0;
  for (const batch of batches(dataset, split, { size: batchSize, pad: true })) {
    checkCancelled(control);
    control.onProgress?.({ stage, done, total });
    const output = pickOutput(await run(batch.inputs, wanted), dataset.output);
    columns = columnsOf(output, batch.samples.length);
    for (const [i, rows] of keepRows(output, columns, batch).entries()) {
      samples[batch.positions[i]] = rows;
      kept += rows.length;
    }
    if (kept > MAX_LOGITS)
      throw new LutraError("unsupported", `more than ${MAX_LOGITS} logits to keep`, { note: "score fewer samples" });
    done += batch.samples.length;
  }
  control.onProgress?.({ stage, done, total });
  return { scores: dataset.scores, columns, samples };
}

/** @throws LutraError "mismatch" if the scores are of different splits or shapes */
export function compareScores(before: Score, after: Score): Comparison {
  if (before.split !== after.split) {
    throw new LutraError(
      "mismatch",
      `a score of the ${before.split} split cannot be compared with one of ${after.split}`,
    );
  }
  return compareLogits(before.logits, after.logits);
}

function pickOutput(outputs: Tensors, name: string | null): Tensor {
  const names = Object.keys(outputs);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen !== undefined && Object.hasOwn(outputs, chosen)) return outputs[chosen];
  throw new LutraError(
    "mismatch",
    name === null ? "the model has several outputs" : `the model has no output "${name}"`,
    {
      note: `set "output" in the dataset description to one of: ${names.join(", ")}`,
    },
  );
}

/** Classes: the last extent, or what one sample has if the output has no other. */
function columnsOf({ shape, data }: Tensor, samples: number): number {
  const columns = shape.length >= 2 || samples === 1 ? (shape.at(-1) ?? 1) : data.length / samples;
  if (columns >= 1 && data.length === sizeOf(shape) && (data.length / columns) % samples === 0) return columns;
  throw new LutraError("mismatch", `an output of shape [${shape.join(", ")}] is not one of ${samples} samples`);
}

/** The rows of each sample that its target asks for; without a target all, but those of padding. */
function keepRows({ data }: Tensor, columns: number, batch: Batch): readonly Float32Array[] {
  const { samples, lengths, targets } = batch;
  const rows = data.length / columns / samples.length;
  return samples.map((sample, i) => {
    const real = lengths !== null && rows === lengths.padded ? lengths.each[i] : rows;
    const asked = targets?.[i].rows ?? Int32Array.from({ length: real }, (_, row) => row);
    const kept = new Float32Array(asked.length * columns);
    asked.forEach((row, k) => {
      if (row >= rows)
        throw new LutraError("mismatch", `row ${row} is asked for, the output has ${rows}`, {
          where: `sample ${sample}`,
        });
      const start = (i * rows + row) * columns;
      for (let c = 0; c < columns; c++) kept[k * columns + c] = Number(data[start + c]);
    });
    targets?.[i].classes.forEach((label) => {
      // A single number decides between two classes.
      const classes = Math.max(columns, 2);
      if (label >= classes)
        throw new LutraError("mismatch", `class ${label} is asked for, the output has ${classes}`, {
          where: `sample ${sample}`,
        });
    });
    const broken = kept.findIndex(Number.isNaN);
    if (broken >= 0)
      throw new LutraError("bad-model", "the model's output holds NaN", {
        where: `sample ${sample}, class ${broken % columns}`,
      });
    return kept;
  });
}
