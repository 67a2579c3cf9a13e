// The samples that tables are chosen on: the selection split, or what can stand in for it. Never the report split, so that the numbers
// shown at the end have not been looked at before.

import type { Control, Session } from "../base/index.ts";
import { countSamples, type Dataset, type Part, type Target } from "../data/index.ts";
import { argmax, type Logits, rowOf } from "./metrics.ts";
import { score } from "./score.ts";

export interface Selection {
  /** Its selection split holds the samples to choose on, with answers; its metrics are what the answers allow. */
  readonly dataset: Dataset;
  /** In words, for the report: which samples, and whose answers count. */
  readonly says: string;
}

/**
 * The samples to choose on. Without a selection split the calibration samples are taken: they decide where tables are fitted, not how
 * large they are. Without answers those of the original model count: its most likely class is right, so a "drop" is a changed answer.
 * @throws LutraError "bad-data" if there are neither selection nor calibration samples; what `score` throws
 */
export async function selectionOf(dataset: Dataset, original: Session, control: Control): Promise<Selection> {
  const split = countSamples(dataset, "selection") > 0 ? "selection" : "calibration";
  const part = dataset.parts[split];
  const samples = `the ${part.indices.length} samples of the ${split} split`;
  const instead = split === "selection" ? samples : `${samples} (the dataset has no selection split)`;
  if (part.samples.targets !== null) return { dataset: withSelection(dataset, part), says: instead };
  const metrics = dataset.metrics.length > 0 ? dataset.metrics : (["accuracy"] as const);
  const unanswered = { ...withSelection(dataset, part), metrics };
  const { logits } = await score(original, unanswered, "selection", control, { stage: "asking the original" });
  const answered = withSelection(unanswered, { ...part, samples: { ...part.samples, targets: answers(logits, part) } });
  return { dataset: answered, says: `${instead}, which have no answers: the original model's own count` };
}

/** At most `limit` of the selection samples: evenly spaced or, where each takes up the state of the one before, the first. */
export function thinnedSelection(dataset: Dataset, limit: number): Dataset {
  const { samples, indices } = dataset.parts.selection;
  if (indices.length <= limit) return dataset;
  const isSequence = Object.keys(dataset.carries).length > 0;
  if (isSequence) return withSelection(dataset, { samples, indices: indices.slice(0, limit) });
  const kept = Int32Array.from({ length: limit }, (_, i) => indices[Math.floor((i * indices.length) / limit)]);
  return withSelection(dataset, { samples, indices: kept });
}

function withSelection(dataset: Dataset, selection: Part): Dataset {
  return { ...dataset, parts: { ...dataset.parts, selection } };
}

/** The most likely class of every recorded row, by sample of the dataset's files; samples that were not asked have no rows. */
function answers(logits: Logits, { samples: { count }, indices }: Part): readonly Target[] {
  const targets: Target[] = Array.from({ length: count }, () => ({
    rows: new Int32Array(0),
    classes: new Int32Array(0),
  }));
  indices.forEach((sample, position) => {
    const rows = Int32Array.from({ length: logits.samples[position].length / logits.columns }, (_, row) => row);
    const classes = rows.map((row) => argmax(rowOf(logits, position, row)));
    targets[sample] = { rows, classes };
  });
  return targets;
}
