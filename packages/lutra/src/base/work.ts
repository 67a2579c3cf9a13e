// Long computations as generators: pure, resumable, cancellable. Whoever drives one owns time, threads and cancellation.

import { LutraError } from "./error.ts";

export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** Yields progress now and then, returns its result. */
export type Work<T> = Generator<Progress, T, void>;

export interface Control {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Runs work to its end at once, dropping progress. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** @throws LutraError "cancelled" if the signal has been aborted. */
export function checkCancelled(control: Control): void {
  if (control.signal?.aborted === true) throw new LutraError("cancelled", "interrupted");
}

/** Longest stretch without giving the event loop a turn. Ctrl-C and progress bars feel immediate below about 50 ms. */
const SLICE_MS = 40;

/** Runs work in slices, reporting progress. @throws LutraError "cancelled" when the signal aborts. */
export async function drive<T>(work: Work<T>, control: Control = {}): Promise<T> {
  let sliceStart = Date.now();
  for (;;) {
    checkCancelled(control);
    const step = work.next();
    if (step.done === true) return step.value;
    control.onProgress?.(step.value);
    if (Date.now() - sliceStart > SLICE_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      sliceStart = Date.now();
    }
  }
}
