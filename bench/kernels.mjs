// Emitted WebAssembly against what else computes GELU on one thread: memory.copy as the floor, onnxruntime natively and in WebAssembly, a loop
// over Math. All in one process, in seeded shuffled turns; medians of times and of each round's ratios; every contestant's answers are
// checked. A kernel of onnxruntime is measured as (chain of 9 operators - chain of 1) / 8, which leaves the cost of a call out.
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  certify,
  compileKernel,
  elementwise,
  fill,
  finish,
  fromBits32,
  nextUp32,
  parseFn,
  problemOf,
  random,
  solve,
} from "lutra";
import { ModelProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { atMost } from "./lutra.mjs";

export const name = "kernels";

const SIZES = [
  { count: 65_536, rounds: 21, leastMs: 2 },
  { count: 5_000_192, rounds: 9, leastMs: 1 },
];
const CHAIN = 9;
const OPSET = 20;
const PAGES = 1024;
const SMALL = 64;

/** (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))) with memory exported. */
const COPY = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00],
  ...[0x03, 0x02, 0x01, 0x00, 0x05, 0x04, 0x01, 0x00, 0x80 | (PAGES % 128), PAGES / 128],
  ...[0x07, 0x11, 0x02, 0x06, ...Buffer.from("memory"), 0x02, 0x00, 0x04, ...Buffer.from("copy"), 0x00, 0x00],
  ...[0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfc, 0x0a, 0x00, 0x00, 0x0b],
]);

export async function measure() {
  const kernels = { coarse: geluByTopBits(), fine: geluUniform() };
  const web = await openWeb();
  const rows = [];
  for (const size of SIZES) rows.push(...(await compare(size, kernels, web)));
  const call = callTime(kernels.coarse);
  const bytes = gzipSync(compileKernel(kernels.coarse).module.bytes).length;
  rows.push(
    { contestant: "lutra, one call", values: SMALL, microseconds: call },
    { contestant: "lutra, module", gzipBytes: bytes },
  );
  return { rows, figures: figuresOf(rows, call, bytes) };
}

function figuresOf(rows, call, bytes) {
  const ratio = (contestant, values) =>
    rows.find((row) => row.contestant === contestant && row.values === values).ratio;
  const [small, large] = SIZES.map(({ count }) => count);
  return [
    atMost("GELU within 1e-4, 5M values: time over memory.copy", 1 / ratio("memory.copy", large), 1.3),
    atMost("the same over onnxruntime-web end to end", 1 / ratio("onnxruntime-web Gelu", large), 1 / 20),
    atMost(
      "65,536 values: time over onnxruntime-node's kernel",
      1 / ratio("onnxruntime-node Gelu, kernel", small),
      1 / 2,
    ),
    atMost(
      "5M values: time over onnxruntime-node's kernel",
      1 / ratio("onnxruntime-node Gelu, kernel", large),
      1 / 1.8,
    ),
    atMost("GELU within 1e-6, 65,536 values: time over that within 1e-4", ratio("lutra, within 1e-6", small), 1.25),
    atMost("64 values, one call", call, 0.2, "us"),
    atMost("one module, gzip", bytes, 4000, "bytes"),
  ];
}

// kernels -------------------------------------------------------------------------------------------------------------

/** Segments that begin where the 13 upper bits of the input change, from 2^-7 to 5 and both signs: the index costs nothing. */
function geluByTopBits() {
  const magnitudes = Array.from({ length: 9 * 16 + 5 }, (_, i) => fromBits32((120 * 16 + i) * 2 ** 19));
  const breakpoints = [...magnitudes.map((x) => nextUp32(-x)), ...magnitudes].sort((a, b) => a - b);
  return proven({ breakpoints, reduce: "none" }, "optimal", 1.06e-4);
}

function geluUniform() {
  return proven({ segments: 4098, reduce: "none", range: [-8, 8], tails: "auto" }, "uniform", 1e-6, {
    lines: "minimax",
  });
}

/** @throws Error if the certificate is above the limit */
function proven(question, method, limit, parameters = {}) {
  const { table } = finish(solve(problemOf({ fn: "gelu", norm: "max", ...question }), method, { seed: 1, parameters }));
  const kernel = fill(elementwise(table.spec), { f: table });
  const { upper } = finish(certify(kernel)).absolute;
  if (!(upper <= limit)) throw new Error(`the table's error is proven below ${upper}, not ${limit}`);
  return kernel;
}

// contestants ---------------------------------------------------------------------------------------------------------

async function compare({ count, rounds, leastMs }, kernels, web) {
  const source = random(5);
  const x = Float32Array.from({ length: count }, () => 1.5 * source.normal());
  const contestants = [
    ours("lutra, within 1e-4", kernels.coarse, x, 1.06e-4),
    ours("lutra, within 1e-6", kernels.fine, x, 1e-6),
    copying(x),
    looping(x),
    ...(await running("onnxruntime-node", ort, { intraOpNumThreads: 1, interOpNumThreads: 1 }, x, 1)),
    ...(await running("onnxruntime-node", ort, { intraOpNumThreads: 1, interOpNumThreads: 1 }, x, CHAIN)),
    ...(await running("onnxruntime-web", web, { executionProviders: ["wasm"] }, x, 1)),
  ];
  await time(contestants, rounds, leastMs);
  for (const { contestant, answers, tolerance } of contestants) check(contestant, x, answers(), tolerance);
  return summary(contestants, count);
}

function ours(contestant, kernel, x, tolerance) {
  const compiled = compileKernel(kernel);
  const { input, output } = compiled.buffers(x.length);
  input.set(x);
  return { contestant, run: () => compiled.run(input, output), answers: () => output, tolerance };
}

function copying(x) {
  const { memory, copy } = new WebAssembly.Instance(new WebAssembly.Module(COPY)).exports;
  const to = x.byteLength + 2112;
  new Float32Array(memory.buffer, 0, x.length).set(x);
  return { contestant: "memory.copy", run: () => copy(to, 0, x.byteLength), answers: () => x, tolerance: Infinity };
}

/** The form of tanh that networks use where erf is missing. */
function looping(x) {
  const y = new Float32Array(x.length);
  const run = () => {
    for (let i = 0; i < x.length; i++) {
      const v = x[i];
      y[i] = 0.5 * v * (1 + Math.tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
    }
  };
  return { contestant: "JavaScript, Math.tanh", run, answers: () => y, tolerance: 1e-3 };
}

async function running(runtime, { InferenceSession, Tensor }, options, x, length) {
  const session = await InferenceSession.create(geluModel(x.length, length), options);
  const feeds = { x0: new Tensor("float32", x, [x.length]) };
  let y;
  const run = async () => {
    y = (await session.run(feeds))[`x${length}`].data;
  };
  const contestant = length === 1 ? `${runtime} Gelu` : `${runtime} Gelu, chain`;
  return [{ contestant, run, isAsync: true, answers: () => y, tolerance: length === 1 ? 1e-5 : Infinity }];
}

async function openWeb() {
  const module = await import("onnxruntime-web");
  const web = module.default ?? module;
  web.env.wasm.numThreads = 1;
  web.env.logLevel = "error";
  return web;
}

function geluModel(count, length) {
  const value = (valueName) => {
    const shape = { dim: [{ value: { case: "dimValue", value: BigInt(count) } }] };
    return { name: valueName, type: { value: { case: "tensorType", value: { elemType: 1, shape } } } };
  };
  const node = Array.from({ length }, (_, i) => ({ opType: "Gelu", input: [`x${i}`], output: [`x${i + 1}`] }));
  const graph = { name: "gelu", node, input: [value("x0")], output: [value(`x${length}`)] };
  const opsetImport = [{ domain: "", version: BigInt(OPSET) }];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 9n, opsetImport, graph }));
}

// time ----------------------------------------------------------------------------------------------------------------

/** Adds to each contestant its milliseconds per run, one number for each round. */
async function time(contestants, rounds, leastMs) {
  for (const one of contestants) {
    const start = performance.now();
    let runs = 0;
    for (; runs < 3 || performance.now() - start < 150; runs++) await one.run();
    one.repeats = Math.max(1, Math.ceil((leastMs * runs) / (performance.now() - start)));
    one.times = [];
  }
  const source = random(9);
  for (let round = 0; round < rounds; round++) {
    for (const one of contestants.toSorted(() => source.uniform() - 0.5)) one.times.push(await once(one));
  }
}

async function once({ run, isAsync, repeats }) {
  await run();
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    if (isAsync) await run();
    else run();
  }
  return (performance.now() - start) / repeats;
}

/** Microseconds of one call on a few values of the caller's own. */
function callTime(kernel) {
  const compiled = compileKernel(kernel);
  const x = new Float32Array(SMALL).fill(0.5);
  const y = new Float32Array(SMALL);
  const calls = 20_000;
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) compiled.run(x, y);
    return ((performance.now() - start) * 1000) / calls;
  });
  return median(times);
}

function summary(contestants, values) {
  const [first] = contestants;
  const row = (contestant, times) => ({
    contestant,
    values,
    nanoseconds: (median(times) * 1e6) / values,
    ratio: median(times.map((ms, round) => ms / first.times[round])),
  });
  const timesOf = (wanted) => contestants.find(({ contestant }) => contestant === wanted).times;
  const chain = timesOf("onnxruntime-node Gelu, chain");
  const single = timesOf("onnxruntime-node Gelu");
  const kernel = chain.map((ms, round) => (ms - single[round]) / (CHAIN - 1));
  const shown = contestants.filter(({ contestant }) => !contestant.endsWith("chain"));
  return [
    ...shown.map(({ contestant, times }) => row(contestant, times)),
    row("onnxruntime-node Gelu, kernel", kernel),
  ];
}

/** @throws Error if an answer is further from GELU than it may be */
function check(contestant, x, answers, tolerance) {
  if (tolerance === Infinity) return;
  const gelu = parseFn("gelu");
  for (let i = 0; i < x.length; i += 997) {
    const error = Math.abs(answers[i] - gelu.evaluate(x[i]));
    if (!(error <= tolerance)) throw new Error(`${contestant} answers ${answers[i]} to ${x[i]}: off by ${error}`);
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
