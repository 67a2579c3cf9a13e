// Cuts a split into batches. A sample's values do not depend on what it is batched with; only its padding does, and padding is
// allowed only where the model is told what is padding. Results are handed out with each sample's place in its split.

import { LutraError, type Tensors } from "../base/index.ts";
import type { Dataset, Split } from "./dataset.ts";
import { type Chosen, gather } from "./gather.ts";
import { FREE_LAYOUT } from "./layout.ts";
import type { Samples } from "./samples.ts";
import type { Target } from "./targets.ts";

/** `samples` are indices into the dataset's files. */
export interface Batch extends Chosen {
  /** Place of each sample in its split, 0 to the split's count - 1. */
  readonly positions: readonly number[];
  readonly inputs: Tensors;
  readonly targets: readonly Target[] | null;
}

export interface BatchOptions {
  /** Most samples of a batch; a model that takes no batches gets 1. */
  readonly size: number;
  /** Whether samples of different length may share a batch, where an input masks the padding. */
  readonly pad: boolean;
}

/**
 * Every sample of a split once; those with lengths come shortest first, unless state is carried from one to the next.
 * @throws LutraError "bad-data" (NaN, infinity, a number that its type cannot hold) or "mismatch" (longer than the model takes), with the sample
 */
export function* batches(dataset: Dataset, split: Split, options: BatchOptions): Generator<Batch, void> {
  if (!(Number.isInteger(options.size) && options.size >= 1))
    throw new RangeError(`a batch holds at least 1 sample, got ${options.size}`);
  const { samples, indices } = dataset.parts[split];
  const inputs = Object.entries(samples.inputs);
  const layouts = inputs.map(([name]) => dataset.layouts?.[name] ?? FREE_LAYOUT);
  const fixedWidth = layouts.find((_, i) => inputs[i][1].hasLengths)?.width ?? null;
  const takesOne = isSequential(dataset) || layouts.some(({ batch }) => batch !== "free");
  const size = takesOne ? 1 : options.size;
  for (const positions of groups(dataset, split, size, options.pad)) {
    const chosen = choose(
      samples,
      Array.from(positions, (position) => indices[position]),
      fixedWidth,
    );
    const tensors = inputs.map(([name, input], i) => [name, gather(input, name, chosen, layouts[i].batch)] as const);
    const { targets } = samples;
    yield {
      ...chosen,
      positions,
      inputs: Object.fromEntries(tensors),
      targets: targets && chosen.samples.map((sample) => targets[sample]),
    };
  }
}

/** Whether a sample's state comes from the sample before. */
function isSequential({ carries }: Dataset): boolean {
  return Object.keys(carries).length > 0;
}

/** Places in the split that are batched together. */
function* groups(dataset: Dataset, split: Split, size: number, pad: boolean): Generator<readonly number[], void> {
  const { samples, indices } = dataset.parts[split];
  const isMasked = Object.values(samples.inputs).some(({ kind, hasLengths }) => kind === "mask" && hasLengths);
  const lengthAt = (position: number): number => samples.lengths?.[indices[position]] ?? 0;
  const belong = (a: number, b: number): boolean => (isMasked && pad) || lengthAt(a) === lengthAt(b);
  // The sort is stable: without lengths this is the split's own order.
  const order = Array.from(indices, (_, position) => position);
  if (!isSequential(dataset)) order.sort((a, b) => lengthAt(a) - lengthAt(b));
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && end - start < size && belong(order[start], order[end])) end++;
    yield order.slice(start, end);
  }
}

function choose({ lengths }: Samples, samples: readonly number[], fixedWidth: number | null): Chosen {
  if (lengths === null) return { samples, lengths: null };
  const each = samples.map((sample) => lengths[sample]);
  const longest = Math.max(...each);
  const padded = fixedWidth ?? longest;
  if (longest > padded) {
    const where = `sample ${samples[each.indexOf(longest)]}`;
    throw new LutraError("mismatch", `the sample has length ${longest}, the model takes ${padded}`, { where });
  }
  return { samples, lengths: { each, padded } };
}
