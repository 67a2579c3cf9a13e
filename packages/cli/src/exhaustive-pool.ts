// Parts of the inputs of a table handed out to threads. Which thread takes which part does not matter to the result.

import { Worker } from "node:worker_threads";
import { type Control, checkCancelled, type ExhaustedPart, type InputRange, LutraError } from "lutra";
import type { Answer, Subject } from "./exhaustive-worker.ts";

/**
 * Visits all the parts on `threads` threads, calling `onPart` with each that is finished.
 * @throws LutraError of the first part that fails; "cancelled" when the signal aborts
 */
export async function visitParts(
  subject: Subject,
  parts: readonly InputRange[],
  threads: number,
  { signal }: Control,
  onPart: (part: ExhaustedPart) => void,
): Promise<void> {
  checkCancelled({ signal });
  const waiting = parts.toReversed();
  const count = Math.min(threads, parts.length);
  const workers = Array.from({ length: count }, () => startWorker(subject));
  const stop = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(workers.map((worker) => serve(worker, waiting, onPart)));
    checkCancelled({ signal });
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function startWorker(subject: Subject): Worker {
  return new Worker(new URL("./exhaustive-worker.js", import.meta.url), { workerData: subject });
}

/** Keeps one thread busy until no part is waiting or the thread has been stopped. */
function serve(worker: Worker, waiting: InputRange[], onPart: (part: ExhaustedPart) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const sendNext = (): void => {
      const range = waiting.pop();
      if (range === undefined) resolve();
      else worker.postMessage(range);
    };
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    worker.on("message", (answer: Answer) => {
      if ("failure" in answer) return reject(toError(answer.failure));
      onPart(answer.part);
      sendNext();
    });
    sendNext();
  });
}

function toError({ code, message, where, note }: Extract<Answer, { failure: unknown }>["failure"]): LutraError {
  return new LutraError(code, message, {
    ...(where === undefined ? {} : { where }),
    ...(note === undefined ? {} : { note }),
  });
}
