// How each kind of contestant is opened, in whatever runtime this is: to { run, answers, isAsync?, note? }. `run` computes once, `answers` gives
// the arrays of the last run by name and forgets them, so that each turn has to make its own.
import { load } from "lutra/run";
import { ElsewhereError } from "../kernels/timing.mjs";
import { tensorsOf } from "./arrays.mjs";
import { dotAnswer, dotLimit } from "./dot-limit.mjs";

/** By kind: (what the race says of the contestant, { peers, read }) => contestant */
export const KINDS = {
  /** Lutra from integers to integers. */
  async "program-codes"({ file, form, inputs }, { read }) {
    const { model, given } = await opened(file, form, inputs, read);
    let outputs = {};
    const run = () => {
      outputs = model.runCodes(given);
    };
    return { run, answers: () => taken(outputs), note: model.form };
  },
  /** Lutra as a page calls it: from numbers to numbers. */
  async program({ file, form, inputs }, { read }) {
    const { model, given } = await opened(file, form, inputs, read);
    let outputs = {};
    const run = async () => {
      outputs = await model.run(given);
    };
    return { run, answers: () => taken(outputs), isAsync: true, note: model.form };
  },
  "onnxruntime-node": (how, shared) => session(shared.peers.onnxNode, { interOpNumThreads: 1 }, how, shared),
  "onnxruntime-web": (how, shared) => session(shared.peers.onnxWeb, { executionProviders: ["wasm"] }, how, shared),
  "dot-limit"({ m, k, n }) {
    const dots = dotLimit(m, k, n);
    let answer = null;
    const run = () => {
      answer = dots();
    };
    const answers = () => {
      if (answer !== dotAnswer(m, k, n)) throw new Error(`the dots sum to ${answer}`);
      answer = null;
      return {};
    };
    return { run, answers };
  },
};

async function opened(file, form, inputs, read) {
  const model = await load(await read(file), form === undefined ? {} : { form });
  if (form !== undefined && model.form !== form) throw new ElsewhereError(`runs ${model.form}, not ${form}`);
  return { model, given: await tensorsOf(inputs, read) };
}

async function session(runtime, options, { file, inputs }, { read }) {
  if (runtime === undefined) throw new ElsewhereError("is not in this runtime");
  const { InferenceSession, Tensor } = runtime;
  const all = { graphOptimizationLevel: "all", intraOpNumThreads: 1, logSeverityLevel: 3, ...options };
  const model = await InferenceSession.create(await read(file), all);
  const given = Object.entries(await tensorsOf(inputs, read));
  const feeds = Object.fromEntries(given.map(([name, { type, data, shape }]) => [name, new Tensor(type, data, shape)]));
  let outputs = {};
  const run = async () => {
    outputs = await model.run(feeds);
  };
  return { run, answers: () => taken(outputs), isAsync: true };
}

/** The arrays of some tensors, which are emptied of them. */
function taken(outputs) {
  const arrays = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  for (const name of Object.keys(arrays)) delete outputs[name];
  return arrays;
}
