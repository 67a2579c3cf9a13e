// lutra certify --exhaustive: hands every input of a binary32 table to threads, keeps what is finished on disk, goes on from there.

import { availableParallelism } from "node:os";
import {
  type Certificate,
  type Control,
  combineParts,
  type ExhaustedPart,
  type Exhaustive,
  exhaustiveParts,
  LutraError,
} from "lutra";
import { visitParts } from "./exhaustive-pool.ts";
import { rangeText, readProgress, removeProgress, writeProgress } from "./exhaustive-progress.ts";
import type { Subject } from "./exhaustive-worker.ts";

export interface ExhaustiveOptions {
  /** All that the machine gives if absent. */
  readonly threads: number | undefined;
  /** The file that keeps what is done. */
  readonly resume: string;
}

const SAVE_EVERY_MS = 2000;

/**
 * What visiting every input of the certificate's domain finds out.
 * @throws LutraError "cancelled" when interrupted, with what is done kept in the file; "mismatch" if the file belongs to another table
 */
export async function visitEveryInput(
  subject: Subject,
  options: ExhaustiveOptions,
  control: Control,
): Promise<Exhaustive> {
  const { certificate } = subject;
  const { resume } = options;
  const threads = threadCount(options.threads);
  checkKind(certificate);
  const all = exhaustiveParts(certificate.spec.domain);
  const earlier = await readProgress(resume, certificate);
  const parts: ExhaustedPart[] = [...earlier.parts];
  const start = performance.now();
  const seconds = (): number => earlier.seconds + (performance.now() - start) / 1000;
  const save = (): Promise<void> => writeProgress(resume, certificate, { parts, seconds: seconds() });
  // At once, so that a closed door shows before the work is done.
  await save();
  const regularly = saver(save);
  const onPart = (part: ExhaustedPart): void => {
    parts.push(part);
    regularly.next();
    control.onProgress?.({ stage: "visiting every input", done: parts.length, total: all.length });
  };
  try {
    const done = new Set(parts.map(rangeText));
    const missing = all.filter((range) => !done.has(rangeText(range)));
    await visitParts(subject, missing, threads, control, onPart);
  } catch (error) {
    await regularly.idle();
    if (error instanceof LutraError && error.code !== "cancelled") await removeProgress(resume);
    else await save();
    throw error instanceof LutraError && error.code === "cancelled" ? stopped(resume, parts.length, all.length) : error;
  }
  await regularly.idle();
  const exhaustive = { ...combineParts(certificate, parts), seconds: seconds(), threads };
  await removeProgress(resume);
  return exhaustive;
}

/** Saves at most every SAVE_EVERY_MS, one at a time. A save that fails in between is not the end: the next one may succeed. */
function saver(save: () => Promise<void>): { next(): void; idle(): Promise<void> } {
  let saving: Promise<void> | null = null;
  let savedAt = performance.now();
  return {
    next() {
      if (saving !== null || performance.now() - savedAt < SAVE_EVERY_MS) return;
      saving = save()
        .catch(() => {})
        .finally(() => {
          saving = null;
          savedAt = performance.now();
        });
    },
    async idle() {
      await saving;
    },
  };
}

/** @throws LutraError "bad-argument" */
function threadCount(wanted: number | undefined): number {
  if (wanted === undefined) return availableParallelism();
  if (wanted <= MAX_THREADS) return wanted;
  throw new LutraError("bad-argument", `threads must be at most ${MAX_THREADS}, got ${wanted}`);
}

/** More than any machine has; each costs some 30 MB. */
const MAX_THREADS = 1024;

/** @throws LutraError "unsupported" */
function checkKind({ shown, over }: Certificate): void {
  if (shown === "interval") return;
  throw new LutraError("unsupported", "only a table with binary32 inputs can be visited input by input", {
    note:
      shown === "enumerated"
        ? `the certificate without --exhaustive is over ${over} already`
        : "leave out --exhaustive",
  });
}

function stopped(resume: string, done: number, total: number): LutraError {
  return new LutraError("cancelled", "interrupted", {
    note: `${done} of ${total} parts are done and kept in "${resume}"; the same command goes on from there`,
  });
}
