// One line on stderr that says how far a command is, rewritten in place, and only if stderr is a terminal.

import type { Progress } from "lutra";

export interface ProgressLine {
  show(progress: Progress): void;
  /** Wipes the line; call before anything else is printed. */
  clear(): void;
}

/** Shortest time between two rewrites. */
const INTERVAL_MS = 80;
const BAR_WIDTH = 24;
const WIPE = "\r\x1b[2K";

export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (stream.isTTY !== true) return { show() {}, clear() {} };
  let shownAt = 0;
  let stage = "";
  return {
    show(progress) {
      const now = Date.now();
      if (progress.stage === stage && now - shownAt < INTERVAL_MS) return;
      shownAt = now;
      stage = progress.stage;
      stream.write(WIPE + progressText(progress).slice(0, (stream.columns || 80) - 1));
    },
    clear() {
      if (shownAt > 0) stream.write(WIPE);
      shownAt = 0;
    },
  };
}

function progressText({ stage, done, total }: Progress): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(share * BAR_WIDTH);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ${percent} %  ${stage}`;
}
