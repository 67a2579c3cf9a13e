// The state of a training in one file. It is written beside its place and then renamed, so an interrupted write leaves the
// old checkpoint whole.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import type { Settings } from "./gradient.ts";
import type { TrainingState } from "./train.ts";

export function saveCheckpoint(path: string, state: TrainingState): void {
  writeFileSync(`${path}.part`, serialize(state));
  renameSync(`${path}.part`, path);
}

/** The state at `path`, or null if there is none. @throws Error if it was trained with other settings */
export function loadCheckpoint(path: string, settings: Settings): TrainingState | null {
  if (!existsSync(path)) return null;
  const state: TrainingState = deserialize(readFileSync(path));
  if (JSON.stringify(state.settings) === JSON.stringify(settings)) return state;
  throw new Error(`${path} is of a training with other settings; delete it to start again`);
}
