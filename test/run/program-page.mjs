// Runs in the page of program-page.test.ts, and as the Web Worker that it starts: `load` as it is published, from the test's server.
import { LutraError, load } from "/lutra/run/index.js";

const FUNCTIONS = { answersOf, refusalOf, cancelledAt };

/** Calls one of the functions in the page itself. */
export function inPage(name, ...args) {
  return FUNCTIONS[name](...args);
}

/** The same in a Web Worker, one for all calls. */
export function inWorker(name, ...args) {
  worker ??= new Worker("/test/program-page.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ name, args });
  });
}

let worker;

/** What a program's outputs are, in codes, and what onProgress was told. */
async function answersOf(url, ids, form) {
  const progress = [];
  const program = await load(url, { form, onProgress: (bytes, total) => progress.push([bytes, total]) });
  const inputs = { ids: { shape: [ids.length, ids[0].length], data: Int32Array.from(ids.flat()) } };
  const { digits } = program.runCodes(inputs);
  const { digits: numbers } = await program.run(inputs);
  return { form: program.form, progress, codes: [...digits.data], numbers: [...numbers.data] };
}

/** How a load fails. */
async function refusalOf(url) {
  return described(load(url));
}

/** How a load fails that is aborted when its first bytes are there, or before it begins. */
async function cancelledAt(url, moment) {
  const abort = new AbortController();
  if (moment === "start") abort.abort();
  return described(load(url, { signal: abort.signal, onProgress: () => abort.abort() }));
}

async function described(loading) {
  try {
    await loading;
    return { message: "was loaded" };
  } catch (error) {
    return { isLutraError: error instanceof LutraError, code: error.code, message: error.message, where: error.where };
  }
}

if (typeof document === "undefined") {
  globalThis.onmessage = async ({ data: { name, args } }) => postMessage(await FUNCTIONS[name](...args));
}
