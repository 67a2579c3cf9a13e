import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type NodeProto } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { random } from "../../packages/lutra/src/num/index.ts";
import {
  concatenate,
  constant,
  type FunctionDefinition,
  findSites,
  type Model,
  node,
  type Replacement,
  readModel,
  rewrite,
  type Site,
  tensor,
  viewGraph,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { model, modelProto, valueInfo } from "./models.ts";

type Feeds = Readonly<Record<string, ort.Tensor>>;

/** Outputs without graph optimisation: the nodes as they stand, so that equal computations give equal bits. */
async function run(bytes: Uint8Array, feeds: Feeds): Promise<Record<string, ArrayLike<unknown>>> {
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: "disabled",
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.data as ArrayLike<unknown>]));
}

/** A function that contains what the site contained: the same nodes, with the constants they use. */
function sameComputation(model: Model, site: Site, name: string): FunctionDefinition {
  const graph = viewGraph(model);
  const inside = graph.nodes.filter((each) => site.nodes.includes(each.output[0]));
  const made = new Set([...inside.flatMap((each) => each.output), ...site.inputs]);
  const constants: NodeProto[] = [];
  for (const input of inside.flatMap((each) => each.input)) {
    if (made.has(input)) continue;
    made.add(input);
    const initializer = model.graph.initializer.find((each) => each.name === input);
    const producer = graph.producer(input);
    if (initializer !== undefined) constants.push(node("Constant", [], [input], { value: initializer }));
    else if (producer !== undefined) constants.push(producer);
  }
  return { name, inputs: site.inputs, outputs: [site.output], nodes: [...constants, ...inside] };
}

function replaceAll(model: Model, flat: boolean): Model {
  const replacements = findSites(model).map((site, index) => ({
    site,
    function: sameComputation(model, site, `${site.kind}_${index}`),
  }));
  return rewrite(model, replacements, { flat });
}

const TANH: FunctionDefinition = {
  name: "twice_tanh",
  inputs: ["a"],
  outputs: ["b"],
  nodes: [constant("two", 2), node("Tanh", ["a"], ["t"], {}, { name: "inner" }), node("Mul", ["t", "two"], ["b"])],
};

const twoTanhs = (): Model =>
  model({
    nodes: [
      node("Tanh", ["x"], ["h"], {}, { name: "first" }),
      node("Mean", ["h"], ["n"], {}, { name: "between" }),
      node("Tanh", ["n"], ["y"], {}, { name: "second" }),
    ],
    irVersion: 4,
  });

const tanhReplacements = (from: Model): Replacement[] => findSites(from).map((site) => ({ site, function: TANH }));

const x = { x: new ort.Tensor("float32", Float32Array.from([-3, -2, -1, -0.5, 0, 0.5, 1, 2]), [2, 4]) };

describe("rewrite", () => {
  it("puts a call named as the site where the site stood, and shares one function", () => {
    const before = twoTanhs();
    const { proto, graph } = rewrite(before, tanhReplacements(before));
    expect(graph.node.map((each) => `${each.domain}.${each.opType}`)).toEqual([
      "lutra.twice_tanh",
      ".Mean",
      "lutra.twice_tanh",
    ]);
    expect(graph.node.map((each) => each.name)).toEqual(["h", "between", "y"]);
    expect(graph.node[0]).toMatchObject({ input: ["x"], output: ["h"] });
    expect(proto.functions.map((each) => `${each.domain}.${each.name}`)).toEqual(["lutra.twice_tanh"]);
    expect(proto.functions[0].opsetImport.map((each) => `${each.domain}:${each.version}`)).toEqual([":17"]);
    expect(proto.opsetImport.map((each) => `${each.domain}:${each.version}`)).toEqual([":17", "lutra:1"]);
    expect(proto.irVersion).toBe(8n);
  });

  it("leaves the model it was given as it was, and keeps a newer IR version", () => {
    const before = twoTanhs();
    const bytes = concatenate(writeModel(before));
    rewrite(before, tanhReplacements(before));
    expect(concatenate(writeModel(before))).toEqual(bytes);
    const newer = model({ nodes: [node("Tanh", ["x"], ["y"])], irVersion: 10 });
    expect(rewrite(newer, tanhReplacements(newer)).proto.irVersion).toBe(10n);
  });

  it("shares what it does not touch, message by message, and keeps unknown fields", () => {
    const before = twoTanhs();
    const unknown = [{ no: 900, wireType: 0, data: Uint8Array.of(7) }];
    for (const message of [before.proto, before.graph, before.graph.node[1]]) message.$unknown = unknown;
    const after = rewrite(before, tanhReplacements(before));
    expect(after.graph.node[1]).toBe(before.graph.node[1]);
    const read = fromBinary(ModelProtoSchema, concatenate(writeModel(after)));
    expect([read.$unknown, read.graph?.$unknown, read.graph?.node[1].$unknown]).toEqual([unknown, unknown, unknown]);
    expect(read.producerName).toBe("lutra tests");
  });

  it("writes the function's nodes in place when flat, with names that were not taken", () => {
    const proto = modelProto({ nodes: [node("Tanh", ["x"], ["y"])], initializers: [tensor(1, [], "y/lutra/t")] });
    const before = readModel(toBinary(ModelProtoSchema, proto));
    const after = rewrite(before, tanhReplacements(before), { flat: true });
    expect(after.graph.node.map((each) => each.opType)).toEqual(["Constant", "Tanh", "Mul"]);
    expect(after.graph.node.map((each) => each.output[0])).toEqual(["y/lutra/two", "y/lutra/t_1", "y"]);
    expect(after.graph.node[1].input).toEqual(["x"]);
    expect(after.proto.functions).toEqual([]);
    expect(after.proto.opsetImport).toEqual(before.proto.opsetImport);
    expect(TANH.nodes[1].name).toBe("inner");
  });

  it("computes what the function computes, in onnxruntime, both ways", async () => {
    const before = twoTanhs();
    const bytes = [false, true].map((flat) =>
      concatenate(writeModel(rewrite(before, tanhReplacements(before), { flat }))),
    );
    const [called, inlined] = await Promise.all(bytes.map((each) => run(each, x)));
    expect(called).toEqual(inlined);
    const exact = Array.from(x.x.data as Float32Array, (v) => 2 * Math.tanh(2 * Math.tanh(v)));
    for (const [i, value] of exact.entries()) expect(Number(called.y[i])).toBeCloseTo(value, 6);
  });

  it("drops the declared types of values that are gone, and only those", () => {
    const nodes = [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["m"]), node("Neg", ["m"], ["y"])];
    const proto = modelProto({ nodes });
    if (proto.graph === undefined) throw new Error("no graph");
    proto.graph.valueInfo = [valueInfo("s"), valueInfo("m")];
    const after = replaceAll(readModel(toBinary(ModelProtoSchema, proto)), false);
    expect(after.graph.valueInfo.map((info) => info.name)).toEqual(["m"]);
  });

  it("refuses a site of another model, two sites on one node, and two functions of one name", () => {
    const before = twoTanhs();
    const [first, second] = tanhReplacements(before);
    const stranger = { ...first, site: { ...first.site, nodes: ["elsewhere"] } };
    expect(() => rewrite(before, [stranger])).toThrow('no node that computes "elsewhere"');
    expect(() => rewrite(before, [first, first])).toThrow("belongs to two sites");
    const other = { ...TANH, nodes: TANH.nodes.slice(1) };
    expect(() => rewrite(before, [first, { ...second, function: other }])).toThrow(TypeError);
    const once = rewrite(before, [first]);
    expect(rewrite(once, [second]).proto.functions).toHaveLength(1);
    expect(() => rewrite(once, [{ ...second, function: other }])).toThrow("already has another function");
  });

  it("copes with a model that has no sites", () => {
    const plain = model({ nodes: [node("Neg", ["x"], ["y"])] });
    const after = rewrite(plain, []);
    expect(concatenate(writeModel(after))).toEqual(concatenate(writeModel(plain)));
  });
});

describeShared("rewriting real models", () => {
  const ids = (seed: number, length: number, below: number) => {
    const generator = random(seed);
    return BigInt64Array.from({ length }, () => BigInt(generator.below(below)));
  };
  const gaussians = (length: number) => {
    const generator = random(1);
    return Float32Array.from({ length }, () => generator.normal());
  };
  const MODELS: readonly (readonly [string, () => Feeds])[] = [
    ["kwt1/kwt1_mfcc.onnx", () => ({ mfcc: new ort.Tensor("float32", gaussians(98 * 40), [1, 98, 40]) })],
    ["kwt1/kwt1_mfcc_decomposed.onnx", () => ({ mfcc: new ort.Tensor("float32", gaussians(98 * 40), [98, 40]) })],
    [
      "sst2_bert_tiny/sst2_bert_tiny.onnx",
      () => ({
        input_ids: new ort.Tensor("int64", ids(1, 20, 11000), [2, 10]),
        attention_mask: new ort.Tensor("int64", new BigInt64Array(20).fill(1n), [2, 10]),
      }),
    ],
    ["stories260k/stories260k.onnx", () => ({ idx: new ort.Tensor("int64", ids(1, 32, 512), [2, 16]) })],
    ["vit_mnist/vit_mnist.onnx", () => ({})],
  ];

  it.each(MODELS.slice(0, 4))(
    "%s gives the same bits when each site is replaced by what it was",
    async (name, feeds) => {
      const bytes = readFileSync(sharedPath(`models/${name}`));
      const before = readModel(bytes);
      const expected = await run(bytes, feeds());
      for (const flat of [false, true]) {
        const written = concatenate(writeModel(replaceAll(before, flat)));
        const again = readModel(written);
        expect(again.proto.functions.length).toBe(flat ? 0 : findSites(before).length);
        expect(await run(written, feeds())).toEqual(expected);
      }
    },
  );

  it.each(MODELS)("%s keeps every other node and every initializer", (name) => {
    const before = readModel(readFileSync(sharedPath(`models/${name}`)));
    const replaced = new Set(findSites(before).flatMap((site) => site.nodes));
    const after = replaceAll(before, false);
    const kept = after.graph.node.filter((each) => each.domain !== "lutra");
    expect(kept).toEqual(before.graph.node.filter((each) => !replaced.has(each.output[0])));
    expect(after.graph.initializer).toBe(before.graph.initializer);
  });
});
