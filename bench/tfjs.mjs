// TensorFlow.js with and without `import "lutra/tfjs"`: the same operations of a program on its wasm and cpu backends, both in one process in
// shuffled turns, allocation and disposal of the result included. Gradients against the formulas that TensorFlow.js itself computes.
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { BOUNDS, install, uninstall } from "lutra/tfjs";
import { inputOf } from "./kernels/data.mjs";
import { race, rowsOf } from "./kernels/timing.mjs";
import { atLeast } from "./lutra.mjs";

export const name = "tfjs";

const TIMING = { rounds: 15, leastMs: 10 };
const COLUMNS = 128;
/** Rows of 128 values, by backend: 65,536 and 5 million values. */
const SIZES = { wasm: [512, 39_064], cpu: [512] };
/** The goal: how many times as long TensorFlow.js's own Tanh takes on its wasm backend. */
const TANH_GOAL = 10;
/** Answers of both are within this of each other, of 1 or of the answer if that is larger. */
const TOLERANCE = 1e-5;

const OPERATIONS = {
  Tanh: ({ x }) => tf.tanh(x),
  Sigmoid: ({ x }) => tf.sigmoid(x),
  Erf: ({ x }) => tf.erf(x),
  Elu: ({ x }) => tf.elu(x),
  Softplus: ({ x }) => tf.softplus(x),
  Exp: ({ x }) => tf.exp(x),
  Rsqrt: ({ positive }) => tf.rsqrt(positive),
  Softmax: ({ x }) => tf.softmax(x),
};

/** What TensorFlow.js's gradient of each computes, from dy and what it saves. */
const GRADIENTS = {
  Tanh: ({ dy, y }) => tf.mul(tf.sub(1, tf.square(y)), dy),
  Sigmoid: ({ dy, y }) => tf.mul(dy, tf.mul(y, tf.sub(1, y))),
  Erf: ({ dy, x }) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI))),
  Softplus: ({ dy, x }) => tf.mul(dy, tf.sigmoid(x)),
  Rsqrt: ({ dy, positive }) => tf.neg(tf.div(dy, tf.mul(tf.pow(positive, 1.5), 2))),
  Softmax: ({ dy, y }) => {
    const share = tf.mul(dy, y);
    return tf.sub(share, tf.mul(tf.sum(share, -1, true), y));
  },
};
const SAVED = { Erf: "x", Softplus: "x", Rsqrt: "positive" };

export async function measure() {
  const rows = [];
  for (const [backend, sizes] of Object.entries(SIZES)) {
    await tf.setBackend(backend);
    for (const rowCount of sizes) {
      const tensors = makeTensors(rowCount);
      for (const [operation, run] of Object.entries(OPERATIONS)) {
        rows.push(await compare({ backend, operation }, tensors, run, run));
      }
      for (const [of, formula] of Object.entries(GRADIENTS)) {
        const [at, given] = SAVED[of] === undefined ? ["y", "y"] : ["x", SAVED[of]];
        const fused = (all) => tf.engine().runKernel(`Lutra${of}Grad`, { dy: all.dy, [at]: all[given] });
        rows.push(await compare({ backend, operation: `gradient of ${of}` }, tensors, formula, fused));
      }
      tf.dispose(tensors);
    }
  }
  const tanh = rows.filter(({ backend, operation }) => backend === "wasm" && operation === "Tanh");
  const figures = tanh.map(({ values, ratio }) =>
    atLeast(`tfjs-wasm's Tanh over lutra/tfjs's, ${values} values`, ratio, TANH_GOAL),
  );
  return { bounds: BOUNDS, rows, figures };
}

function makeTensors(rowCount) {
  const shape = [rowCount, COLUMNS];
  const x = tf.tensor2d(inputOf({ lane: "f32", spread: 1.5 }, shape), shape);
  return tf.tidy(() => ({ x, positive: tf.add(tf.abs(x), 0.01), dy: tf.reverse(x), y: tf.sigmoid(tf.reverse(x, 1)) }));
}

/** TensorFlow.js's own time over ours, of operations that give the same answers. */
async function compare(row, tensors, own, ours) {
  const values = tensors.x.size;
  const contestants = [
    contestant("TensorFlow.js", uninstall, () => own(tensors)),
    contestant("lutra", install, () => ours(tensors)),
  ];
  for (const one of contestants) one.run();
  const [expected, found] = contestants.map((one) => one.answers());
  const isNear = found.every((y, i) => Math.abs(y - expected[i]) <= TOLERANCE * Math.max(1, Math.abs(expected[i])));
  if (!isNear) throw new Error(`${row.operation} on ${row.backend}: the answers differ`);
  const times = await race(contestants, TIMING);
  for (const one of contestants) one.release();
  const [theirs, lutra] = rowsOf(times, values, ["lutra"]);
  return { ...row, values, ownNs: theirs.nanoseconds, lutraNs: lutra.nanoseconds, ratio: theirs.over.lutra };
}

/** Which of the two is in TensorFlow.js's registry. */
let current = null;

/** The first run of a turn, which does not count, brings its kernels into the registry. */
function contestant(title, enter, compute) {
  let [result, first] = [null, null];
  const answers = () => result.dataSync();
  return {
    contestant: title,
    run() {
      if (current !== enter) enter();
      current = enter;
      result?.dispose();
      result = tf.tidy(compute);
    },
    answers,
    /** The answers are the same bits each time. */
    check() {
      const now = answers();
      first ??= now;
      if (now.some((y, i) => !Object.is(y, first[i]))) throw new Error(`${title}: the answers have changed`);
    },
    release: () => result.dispose(),
  };
}
