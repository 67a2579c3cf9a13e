// ONNX's own node tests: a model, inputs and expected outputs each. Runs one as it is and with its layers as tables of 64 segments, and
// bounds by the tables' certificates how far the outputs may be off.

import { readdirSync, readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { type TensorProto, TensorProto_DataType, TensorProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { finish, hash } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, certify } from "../../packages/lutra/src/certify/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill, holes, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { layerFor } from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import {
  concatenate,
  findSites,
  type Model,
  readModel,
  rewrite,
  type Site,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import type { Table } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";

const SEGMENTS = 64;
/** Rows of the node tests have at most 120 elements. */
const MAX_ROW = 128;

export interface NodeTest {
  readonly name: string;
  readonly model: Model;
  readonly inputs: Readonly<Record<string, ort.Tensor>>;
  readonly expected: Readonly<Record<string, ort.Tensor>>;
}

export function readNodeTest(folder: string, name: string): NodeTest {
  const model = readModel(readFileSync(`${folder}/${name}/model.onnx`));
  const data = `${folder}/${name}/test_data_set_0`;
  const read = (kind: string, names: readonly string[]): Record<string, ort.Tensor> => {
    const files = readdirSync(data).filter((file) => file.startsWith(kind));
    return Object.fromEntries(
      files.flatMap((_, i) => {
        const tensor = toTensor(fromBinary(TensorProtoSchema, readFileSync(`${data}/${kind}_${i}.pb`)));
        return tensor === null ? [] : [[names[i], tensor]];
      }),
    );
  };
  const present = ({ name: value }: { readonly name: string }) => (value === "" ? [] : [value]);
  return {
    name,
    model,
    inputs: read("input", model.graph.input.flatMap(present)),
    expected: read("output", model.graph.output.flatMap(present)),
  };
}

const TYPES = new Map<number, readonly [ort.Tensor.Type, new (buffer: ArrayBuffer) => ort.Tensor.DataType]>([
  [TensorProto_DataType.FLOAT, ["float32", Float32Array]],
  [TensorProto_DataType.INT32, ["int32", Int32Array]],
  [TensorProto_DataType.INT64, ["int64", BigInt64Array]],
  [TensorProto_DataType.BOOL, ["bool", Uint8Array]],
] as never);

/** null for element types that no test with a layer has. */
function toTensor(proto: TensorProto): ort.Tensor | null {
  const type = TYPES.get(proto.dataType);
  if (type === undefined) return null;
  const bytes = new Uint8Array(proto.rawData).buffer;
  return new ort.Tensor(type[0], new type[1](bytes) as never, proto.dims.map(Number));
}

export type Outputs = Readonly<Record<string, ort.Tensor>>;

/** The outputs of a model; null if onnxruntime does not know an operator of it, or not this form of it. */
export async function run(model: Model, inputs: NodeTest["inputs"]): Promise<Outputs | null> {
  const bytes = concatenate(writeModel(model));
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 }).catch(
    () => null,
  );
  if (session === null) return null;
  try {
    return (await session.run({ ...inputs }).catch(() => null)) as Outputs | null;
  } finally {
    await session.release();
  }
}

const tables = new Map<string, Table>();
const certificates = new Map<string, Certificate>();

/** A site's layer in tables, and its certificate. Equal questions are asked once. */
function compiled(site: Site): { readonly kernel: Kernel; readonly certificate: Certificate } {
  const { kind, inputs, attributes, axes } = site;
  const domain = axes === null ? parseFn(kind).domain : { lo: -Infinity, hi: Infinity };
  const empty = layerFor({ kind, inputCount: inputs.length, maxRow: MAX_ROW, domain, ...attributes });
  const filling = holes(empty).map(({ hole, spec }) => {
    const problem = planProblem(spec, { segments: SEGMENTS, norm: "max" });
    const key = hash(problem);
    const table = tables.get(key) ?? finish(solve(problem, "optimal", { seed: 1 })).table;
    tables.set(key, table);
    return [hole, table] as const;
  });
  const kernel = fill(empty, Object.fromEntries(filling));
  const key = hash(kernel);
  const certificate = certificates.get(key) ?? finish(certify(kernel));
  certificates.set(key, certificate);
  return { kernel, certificate };
}

interface Rewritten {
  readonly model: Model;
  readonly sites: readonly { readonly site: Site; readonly certificate: Certificate }[];
}

/** The model with all its sites as tables. */
export function withTables(model: Model): Rewritten {
  const sites = findSites(model).map((site) => ({ site, ...compiled(site) }));
  const replacements = sites.map(({ site, kernel }) => ({
    site,
    function: emit(kernel, { axes: site.axes ?? [-1], opset: model.opset }),
  }));
  return { model: rewrite(model, replacements), sites };
}
