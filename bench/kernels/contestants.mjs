// How each kind of contestant of a race is opened, in whatever runtime this is: to { run, answers, isAsync?, note?, close? }. `run` computes
// all answers once, `answers` gives them; both take nothing. Whoever is not here (a peer that a page does not have, a form that an engine does not run)
// throws, and the race goes on without.
import { compileKernel, footprint, openPool } from "lutra/run";
import { copiesOver } from "./copies.mjs";
import { ElsewhereError } from "./timing.mjs";

const TANH_FORM = { slope: 0.7978845608028654, cube: 0.044715 };
const ARRAYS = { f32: Float32Array, i8: Int8Array, u8: Uint8Array };

/** By kind: (what the race says of the contestant, the inputs, { kernels, peers, dims, arena }) => contestant */
export const KINDS = {
  /** Lutra on the race's own arrays, which lie in its memory. */
  lutra({ kernel: name, form, constants }, x, { kernels, dims, arena }) {
    const kernel = kernels[name];
    const columns = dims.at(-1);
    const isOverRows = dims.length > 1;
    const bytes = footprint(kernel, isOverRows ? { rows: 0, columns } : 0, form);
    const memory = { memory: arena.memory, base: arena.claim(bytes), bytes };
    const compiled = compileKernel(kernel, { memory, ...(form === undefined ? {} : { form }) });
    const { lane } = compiled.module.results[0];
    const output = new ARRAYS[lane](arena.memory.buffer, arena.to, x.length);
    const input = constants === undefined ? arena.x : { x: arena.x, ...columnsOf(constants, columns, arena) };
    const run = isOverRows ? () => compiled.run(input, output, columns) : () => compiled.run(input, output);
    return { run, answers: () => output, note: compiled.form };
  },
  /** Lutra on arrays of the caller's. */
  "lutra-outside"({ kernel }, x, { kernels }) {
    const compiled = compileKernel(kernels[kernel]);
    const y = compiled.run(x);
    return { run: () => compiled.run(x, y), answers: () => y, note: compiled.form };
  },
  /** Lutra by several threads. */
  async "lutra-threads"({ kernel, threads }, x, { kernels }) {
    const pool = await openPool(kernels[kernel], { threads });
    const { input, output } = pool.buffers(x.length);
    input.set(x);
    return { run: () => pool.run(input, output), answers: () => output, close: () => pool.close(), note: pool.form };
  },
  "copy-threads": ({ threads }, x, { peers }) => present(peers.openCopyCrew)(x, threads),
  copy: (_how, x, { arena }) => copying("copy", x, arena),
  loop: (_how, x, { arena }) => copying("loop", x, arena),
  javascript({ fn }, x) {
    const y = new Float32Array(x.length);
    return { run: () => LOOPS[fn](x, y), answers: () => y };
  },
  "onnxruntime-node": ({ model }, x, { peers, dims }) =>
    session(peers.onnxNode, { intraOpNumThreads: 1, interOpNumThreads: 1 }, model, x, dims, true),
  "onnxruntime-web": ({ model }, x, { peers, dims }) =>
    session(peers.onnxWeb, { executionProviders: ["wasm"] }, model, x, dims, false),
  tensorflow({ fn }, x, { peers: { tensorflow }, dims }) {
    const input = present(tensorflow).tensor(x, dims);
    let output;
    const run = () => {
      output?.dispose();
      output = tensorflow[fn](input);
    };
    return { run, answers: () => output.dataSync() };
  },
};

function copying(which, x, { memory, from, to }) {
  const move = copiesOver(memory)[which];
  const y = new x.constructor(memory.buffer, to, x.length);
  return { run: () => move(to, from, x.byteLength), answers: () => y };
}

/** Arrays of one number for each column, in the arena. */
function columnsOf(constants, columns, arena) {
  const entries = Object.entries(constants).map(([name, number]) => {
    const array = new Float32Array(arena.memory.buffer, arena.claim(4 * columns), columns);
    return [name, array.fill(number)];
  });
  return Object.fromEntries(entries);
}

/** Loops over Math, as a user would write them; GELU by tanh, as networks do where there is no erf. */
const LOOPS = {
  gelu(x, y) {
    const { slope, cube } = TANH_FORM;
    for (let i = 0; i < x.length; i++) {
      const v = x[i];
      y[i] = 0.5 * v * (1 + Math.tanh(slope * (v + cube * v * v * v)));
    }
  },
  tanh(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.tanh(x[i]);
  },
  sigmoid(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  silu(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
  },
  exp(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.exp(x[i]);
  },
};

/** One call of a session, as a user makes it; into an array that is there before, where the runtime can. */
async function session(runtime, options, model, x, dims, isInPlace) {
  const { InferenceSession, Tensor } = present(runtime);
  const bytes = Uint8Array.from(atob(model), (character) => character.charCodeAt(0));
  const opened = await InferenceSession.create(bytes, options);
  const type = { Float32Array: "float32", Uint8Array: "uint8", Int8Array: "int8" }[x.constructor.name];
  const feeds = { x: new Tensor(type, x, dims) };
  const fetches = isInPlace ? [{ y: new Tensor(type, new x.constructor(x.length), dims) }] : [];
  let y;
  const run = async () => {
    y = (await opened.run(feeds, ...fetches)).y;
  };
  return { run, answers: () => y.data, isAsync: true };
}

function present(peer) {
  if (peer === undefined) throw new ElsewhereError("is not in this runtime");
  return peer;
}
