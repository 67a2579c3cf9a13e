// The run that made the committed model. Another value here is another model: train again.
import { MAX_LENGTH } from "./dates.ts";
import type { Settings } from "./gradient.ts";
import { VOCABULARY_SIZE } from "./vocabulary.ts";

export const SETTINGS: Settings = {
  model: { characters: VOCABULARY_SIZE, length: MAX_LENGTH, width: 64, heads: 4, hidden: 128, layers: 2 },
  seed: 4,
  steps: 4000,
  warmUp: 300,
  rate: 0.002,
  partSize: 64,
};
