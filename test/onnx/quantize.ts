// Quantized graphs for tests: QuantizeLinear and DequantizeLinear nodes with their constants, and a small quantizer of float models
// that puts a pair around every elementwise layer, as post-training quantization does.

import { create } from "@bufbuild/protobuf";
import { type GraphProto, type NodeProto, OperatorSetIdProtoSchema, type TensorProto } from "onnx-buf";
import type { Numbers, Session } from "../../packages/lutra/src/base/index.ts";
import { codeRange, encode, type IntegerFormat, integerFormat } from "../../packages/lutra/src/num/index.ts";
import {
  concatenate,
  type Elements,
  exposeValues,
  findSites,
  type Model,
  node,
  readModel,
  tensor,
  viewGraph,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { valueInfo } from "./models.ts";

/** An array of the format's codes. */
export function codesArray({ signed, bits }: IntegerFormat, codes: readonly number[]): Exclude<Elements, Float32Array> {
  if (bits <= 8) return signed ? Int8Array.from(codes) : Uint8Array.from(codes);
  return signed ? Int16Array.from(codes) : Uint16Array.from(codes);
}

/** TensorProto.DataType of the format's codes. */
function elementType({ signed, bits }: IntegerFormat): number {
  if (bits <= 8) return signed ? 3 : 2;
  return signed ? 5 : 4;
}

export interface QuantizedParts {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/** A scale and a zero point as two scalar initializers "<name>_scale" and "<name>_zero". */
export function parameters(name: string, format: IntegerFormat): readonly TensorProto[] {
  return [
    tensor(Float32Array.of(format.scale), [], `${name}_scale`),
    tensor(codesArray(format, [format.zeroPoint]), [], `${name}_zero`),
  ];
}

type Options = { readonly domain?: string };

export function quantize(x: string, codes: string, params: string, options: Options = {}): NodeProto {
  return node("QuantizeLinear", [x, `${params}_scale`, `${params}_zero`], [codes], {}, options);
}

export function dequantize(codes: string, y: string, params: string, options: Options = {}): NodeProto {
  return node("DequantizeLinear", [codes, `${params}_scale`, `${params}_zero`], [y], {}, options);
}

/** The format of a range, 0 being a code: what calibration by minimum and maximum gives. */
function formatFor(lo: number, hi: number, signed: boolean, bits: 8 | 16): IntegerFormat {
  const [least, greatest] = [Math.min(lo, 0), Math.max(hi, 0)];
  const scale = Math.fround(Math.max((greatest - least) / (2 ** bits - 1), 2 ** -20));
  const { lo: first, hi: last } = codeRange(integerFormat(signed, bits, scale));
  const zeroPoint = Math.min(last, Math.max(first, Math.round(first - least / scale)));
  return integerFormat(signed, bits, scale, zeroPoint);
}

export type Ranges = ReadonlyMap<string, { readonly lo: number; readonly hi: number }>;

/** Least and greatest of each value over some inputs. */
export async function rangesOf(
  model: Model,
  names: readonly string[],
  batches: Iterable<Parameters<Session["run"]>[0]>,
  openSession: (bytes: Uint8Array) => Promise<Session>,
): Promise<Ranges> {
  const session = await openSession(concatenate(writeModel(exposeValues(model, names))));
  const ranges = new Map<string, { lo: number; hi: number }>();
  try {
    for (const batch of batches) {
      const values = await session.run(batch, names);
      for (const name of names) {
        const data: Numbers = values[name]?.data ?? new Float32Array();
        const range = ranges.get(name) ?? { lo: Infinity, hi: -Infinity };
        for (const value of data) {
          range.lo = Math.min(range.lo, Number(value));
          range.hi = Math.max(range.hi, Number(value));
        }
        ranges.set(name, range);
      }
    }
  } finally {
    await session.release();
  }
  return ranges;
}

/** The values around and, if wanted, between the nodes of the elementwise layers of a float model. */
export function layerValues(model: Model, inner: boolean): readonly string[] {
  const graph = viewGraph(model);
  const layers = findSites(model).filter(({ axes, scope }) => axes === null && scope === undefined);
  const values = layers.flatMap(({ nodes, inputs, output }) => [...inputs, output, ...(inner ? nodes : [])]);
  return [...new Set(values)].filter((name) => graph.maybeFloat32(name));
}

/**
 * The model with QuantizeLinear and DequantizeLinear behind each of the values, signed and unsigned in turn; weights of MatMul in int8.
 * 16 bits are onnxruntime's own operators: ONNX has them from opset 21 on.
 */
export function quantizeModel(model: Model, ranges: Ranges, bits: 8 | 16 = 8): Model {
  const options = bits === 8 ? {} : { domain: "com.microsoft" };
  const initializers: TensorProto[] = [];
  const names = [...ranges.keys()];
  const pairs = names.map((name, i) => {
    const { lo, hi } = ranges.get(name) ?? { lo: -1, hi: 1 };
    initializers.push(...parameters(name, formatFor(lo, hi, i % 2 === 0, bits)));
    const codes = `${name}_codes`;
    return [quantize(`${name}_float`, codes, name, options), dequantize(codes, name, name, options)] as const;
  });
  const byName = new Map(names.map((name, i) => [name, pairs[i] as readonly NodeProto[]]));
  const weights = quantizedWeights(model);
  const nodes = model.graph.node.flatMap((one) => {
    const behind = one.output.flatMap((name) => byName.get(name) ?? []);
    const output = one.output.map((name) => (byName.has(name) ? `${name}_float` : name));
    return [{ ...one, output }, ...behind];
  });
  const kept = model.graph.initializer.filter(({ name }) => !weights.names.has(name));
  const graph: GraphProto = {
    ...model.graph,
    node: [...weights.nodes, ...nodes],
    initializer: [...kept, ...initializers, ...weights.initializers],
    valueInfo: [],
  };
  const opsetImport = [
    ...model.proto.opsetImport,
    create(OperatorSetIdProtoSchema, { domain: "com.microsoft", version: 1n }),
  ];
  return readModel(concatenate(writeModel({ ...model, graph, proto: { ...model.proto, graph, opsetImport } })));
}

/** Each float matrix that a MatMul multiplies by, as int8 codes and a DequantizeLinear of its name. */
function quantizedWeights(model: Model): QuantizedParts & { readonly names: ReadonlySet<string> } {
  const graph = viewGraph(model);
  const used = new Set(model.graph.node.filter(({ opType }) => opType === "MatMul").map(({ input }) => input[1] ?? ""));
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const names = new Set<string>();
  for (const { name } of model.graph.initializer.filter((one) => used.has(one.name))) {
    const weights = graph.constants.tensor(name);
    if (!(weights?.data instanceof Float32Array)) continue;
    const largest = weights.data.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    const format = integerFormat(true, 8, Math.fround(largest / 127));
    const codes = Int8Array.from(weights.data, (w) => encode(format, w));
    initializers.push(tensor(codes, weights.shape, `${name}_codes`), ...parameters(name, format));
    nodes.push(dequantize(`${name}_codes`, name, name));
    names.add(name);
  }
  return { nodes, initializers, names };
}

/** A value of codes, for inputs and outputs. */
export function codesInfo(name: string, format: IntegerFormat, shape: readonly (number | string)[] = ["N"]) {
  return valueInfo(name, shape, elementType(format));
}
