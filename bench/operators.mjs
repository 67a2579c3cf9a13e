// What a table made of standard operators costs in onnxruntime against the fused operator it replaces: both models in one process,
// in turn, medians of per-round ratios. No limit: rewritten models are for portability and accuracy, and this says what that costs.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  certify,
  concatenate,
  elementwise,
  emitOnnx,
  fill,
  findSites,
  finish,
  holes,
  planProblem,
  readModel,
  rewrite,
  softmax,
  solve,
  writeModel,
} from "lutra";
import { openSession } from "lutra/onnxruntime";
import { ModelProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";

export const name = "operators";

const OPSET = 20;
const ROUNDS = 9;
const RUNS = 5;
const SHAPE = [512, 128];
const FLOAT = 1;

const OPERATORS = [
  { opType: "Gelu", kernel: (spec) => elementwise({ ...spec, fn: "gelu" }) },
  { opType: "Tanh", kernel: (spec) => elementwise({ ...spec, fn: "tanh" }) },
  { opType: "Softmax", kernel: () => softmax(SHAPE[1]) },
];

export async function measure() {
  const rows = [];
  for (const operator of OPERATORS) rows.push(await compare(operator));
  return { rows, figures: [] };
}

async function compare({ opType, kernel }) {
  const model = readModel(oneOperator(opType));
  const float = { kind: "float", name: "binary32" };
  const filled = withTables(kernel({ domain: { lo: -Infinity, hi: Infinity }, input: float, output: float }));
  const [site] = findSites(model);
  const table = rewrite(model, [{ site, function: emitOnnx(filled, { axes: [-1], opset: OPSET }) }]);
  const sessions = [];
  for (const proto of [model, table])
    sessions.push(await openSession(ort, concatenate(writeModel(proto)), { threads: 1 }));
  const count = SHAPE[0] * SHAPE[1];
  const x = { x: { shape: SHAPE, data: Float32Array.from({ length: count }, (_, i) => ((i * 37) % 1000) / 125 - 4) } };
  const [fused, tabled] = await outputs(sessions, x);
  const bound = finish(certify(filled)).absolute.upper;
  const worst = fused.reduce((most, y, i) => Math.max(most, Math.abs(y - tabled[i])), 0);
  // The fused operator has an error of its own, of a few ulps.
  if (!(worst > 0 && worst <= bound + 1e-6))
    throw new Error(`${opType}: tables are off by ${worst}, certified ${bound}`);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    const times = [];
    for (const which of order) times[which] = await nanoseconds(sessions[which], x, count);
    rounds.push(times);
  }
  for (const session of sessions) await session.release();
  const ratio = median(rounds.map(([a, b]) => b / a));
  return {
    opType,
    shape: SHAPE,
    segments: 16,
    fusedNs: median(rounds.map(([a]) => a)),
    tableNs: median(rounds.map(([, b]) => b)),
    ratio,
  };
}

function withTables(kernel) {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = planProblem(spec, { segments: 16, norm: "max" });
    return [hole, finish(solve(problem, "optimal", { seed: 1 })).table];
  });
  return fill(kernel, Object.fromEntries(tables));
}

function oneOperator(opType) {
  const value = (valueName) => ({
    name: valueName,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: FLOAT,
          shape: { dim: SHAPE.map((extent) => ({ value: { case: "dimValue", value: BigInt(extent) } })) },
        },
      },
    },
  });
  const graph = {
    name: "one",
    node: [{ opType, input: ["x"], output: ["y"] }],
    input: [value("x")],
    output: [value("y")],
  };
  const opsetImport = [{ domain: "", version: BigInt(OPSET) }];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 9n, opsetImport, graph }));
}

async function outputs(sessions, x) {
  const results = [];
  for (const session of sessions) results.push((await session.run(x)).y.data);
  return results;
}

async function nanoseconds(session, x, count) {
  const start = performance.now();
  for (let run = 0; run < RUNS; run++) await session.run(x);
  return ((performance.now() - start) * 1e6) / (RUNS * count);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
