// The Web Worker: loads the program, says how far it is, and reads dates, so that the page itself never waits.

import { decode, encode, LENGTH } from "./dates.js";
// With a bundler: "lutra/run". Import maps do not reach workers, so the path is written out here.
import { load } from "./lutra/run/index.js";

const start = performance.now();
const onProgress = (bytes, total) => postMessage({ kind: "progress", bytes, total });
const model = load(new URL("dates.lutra", import.meta.url), { onProgress });

model.then(
  ({ form, memoryBytes }) => postMessage({ kind: "ready", form, memoryBytes, ms: performance.now() - start }),
  (error) => postMessage(failure(error)),
);
/** The page asks once it has been told that the model is ready. */
addEventListener("message", async ({ data: text }) => postMessage(await answerTo(text)));

async function answerTo(text) {
  try {
    const program = await model;
    const asked = performance.now();
    const { digits } = await program.run({ ids: { shape: [1, LENGTH], data: encode(text) } });
    const date = decode(digits.data);
    return { kind: "answer", text, ...date, ms: performance.now() - asked };
  } catch (error) {
    return failure(error);
  }
}

/** In words: what is wrong, where, and what to do about it. */
function failure({ message, where, note }) {
  return { kind: "failure", reason: [message, where, note].filter(Boolean).join("; ") };
}
