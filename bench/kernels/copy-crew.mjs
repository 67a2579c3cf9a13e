// memory.copy by several threads, in the way of Lutra's pool: chunks from a counter, sleeping threads, and a caller that takes part and waits
// only for chunks that others have begun. Node only.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { openArena } from "./arena.mjs";
import { copiesOver } from "./copies.mjs";

const CHUNK = 128 * 1024;
/** Places in the words that all threads share, 64 bytes apart. */
const WAKE = 0;
const LEFT = 16;
const DONE = 32;

if (!isMainThread) serve(workerData);

/** @returns { run, answers, close }: a contestant that copies all inputs */
export async function openCopyCrew(x, threads) {
  const { memory, from, to } = openArena(x, { isShared: true });
  const words = new Int32Array(new SharedArrayBuffer(256));
  const task = { memory, words, from, to, bytes: x.byteLength };
  const { copy } = copiesOver(memory);
  const helpers = Array.from({ length: threads - 1 }, () => new Worker(new URL(import.meta.url), { workerData: task }));
  await Promise.all(helpers.map((helper) => new Promise((resolve) => helper.once("message", resolve))));
  const chunks = Math.ceil(x.byteLength / CHUNK);
  const run = () => {
    Atomics.store(words, DONE, 0);
    Atomics.store(words, LEFT, chunks);
    Atomics.add(words, WAKE, 1);
    Atomics.notify(words, WAKE);
    takeChunks(task, copy);
    while (Atomics.load(words, DONE) < chunks);
  };
  const y = new x.constructor(memory.buffer, to, x.length);
  return { run, answers: () => y, close: () => Promise.all(helpers.map((helper) => helper.terminate())) };
}

function serve(task) {
  const { copy } = copiesOver(task.memory);
  let seen = 0;
  parentPort.postMessage("ready");
  for (;;) {
    Atomics.wait(task.words, WAKE, seen);
    seen = Atomics.load(task.words, WAKE);
    takeChunks(task, copy);
  }
}

/** Whatever the order, each chunk belongs to one thread. */
function takeChunks({ words, from, to, bytes }, copy) {
  for (let left = Atomics.sub(words, LEFT, 1); left > 0; left = Atomics.sub(words, LEFT, 1)) {
    const first = (left - 1) * CHUNK;
    copy(to + first, from + first, Math.min(CHUNK, bytes - first));
    Atomics.add(words, DONE, 1);
  }
}
