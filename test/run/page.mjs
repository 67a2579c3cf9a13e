// Runs in the page of page.test.ts, and as the Web Worker that it starts: lutra/run as it is published, from the test's server.
import { compileKernel, elementwise, fill, fromJson, openPool, parseTable } from "/lutra/run/index.js";

function kernelOf(table) {
  const parsed = parseTable(fromJson(table));
  return fill(elementwise(parsed.spec), { f: parsed });
}

/** The answers in the page itself: of arrays from elsewhere, and of the kernel's own. */
export function answer(table, x) {
  const kernel = compileKernel(kernelOf(table));
  const { input, output } = kernel.buffers(x.length);
  input.set(x);
  const outside = [...kernel.run(Float32Array.from(x))];
  return { form: kernel.form, outside, inside: [...kernel.run(input, output)] };
}

/** The same in a Web Worker. */
export function answerInWorker(table, x) {
  return fromWorker({ name: "answer", args: [table, x] });
}

/** Whether a pool's answers are those of one thread; the message of what goes wrong. */
export async function comparePool(table, threads, count) {
  try {
    const pool = await openPool(kernelOf(table), { threads });
    const { input, output } = pool.buffers(count);
    for (let i = 0; i < count; i++) input[i] = ((i * 7919) % 1000) / 8 - 60;
    const expected = compileKernel(kernelOf(table)).run(Float32Array.from(input));
    let wrong = 0;
    for (let round = 0; round < 8; round++) {
      pool.run(input, output.fill(9));
      wrong += output.filter((y, i) => y !== expected[i]).length;
    }
    pool.close();
    return { wrong };
  } catch (error) {
    return { message: error.message, note: error.note };
  }
}

/** The same from a Web Worker, whose threads are its own. */
export function comparePoolInWorker(table, threads, count) {
  return fromWorker({ name: "comparePool", args: [table, threads, count] });
}

function fromWorker(call) {
  const worker = new Worker("/test/page.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(call);
  }).finally(() => worker.terminate());
}

if (typeof document === "undefined") {
  const functions = { answer, comparePool };
  globalThis.onmessage = async ({ data: { name, args } }) => postMessage(await functions[name](...args));
}
