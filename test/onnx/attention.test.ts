import { readdirSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { FunctionProtoSchema, type GraphProto, GraphProtoSchema, ModelProtoSchema, type NodeProto } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { random } from "../../packages/lutra/src/num/index.ts";
import { notExpandedBecause } from "../../packages/lutra/src/onnx/attention/expand.ts";
import {
  type AttributeValue,
  concatenate,
  type FunctionDefinition,
  findLayers,
  findSites,
  type Model,
  node,
  type Replacement,
  readModel,
  rewrite,
  type Site,
  viewGraph,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { model, modelProto, valueInfo } from "./models.ts";
import { readNodeTest } from "./node-tests.ts";

const MICROSOFT = "com.microsoft";
const TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

interface Input {
  readonly shape: readonly number[];
  /** Random normal binary32 numbers if absent. */
  readonly data?: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

interface Case {
  readonly type: "Attention" | "MultiHeadAttention" | "GroupQueryAttention";
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** In the operator's order; null where one is left out. */
  readonly inputs: readonly (Input | null)[];
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

type Feeds = Readonly<Record<string, ort.Tensor>>;

function elementOf(data: Input["data"]): keyof typeof TYPES {
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  return data instanceof Uint8Array ? "bool" : "float32";
}

function makeCase({ type, domain = MICROSOFT, attributes, inputs, outputs = ["y"], opset = 17 }: Case): {
  readonly model: Model;
  readonly feeds: Feeds;
} {
  const generator = random(5);
  const names = inputs.map((input, i) => (input === null ? "" : `in_${i}`));
  const given = inputs.flatMap((input, i) => (input === null ? [] : [{ ...input, name: names[i] }]));
  const feeds = given.map(({ name, shape, data }): [string, ort.Tensor] => {
    const values = data ?? Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => generator.normal());
    return [name, new ort.Tensor(elementOf(data) as "float32", values as Float32Array, shape)];
  });
  return {
    model: model({
      nodes: [node(type, names, outputs, attributes, { domain })],
      inputs: given.map((input) => valueInfo(input.name, input.shape, TYPES[elementOf(input.data)])),
      outputs: outputs.flatMap((name) => (name === "" ? [] : [valueInfo(name, null)])),
      opset,
      irVersion: opset < 23 ? 8 : 10,
      domains: [MICROSOFT],
    }),
    feeds: Object.fromEntries(feeds),
  };
}

async function run(from: Model, feeds: Feeds): Promise<Record<string, ort.Tensor>> {
  const bytes = concatenate(writeModel(from));
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const results = await session.run(feeds);
  await session.release();
  return results as Record<string, ort.Tensor>;
}

/** The layer itself as a site's function: what is left of a rewriting is the expansion. */
function itself(site: Site): Replacement {
  const [type, attributes] = site.kind === "softmax" ? ["Softmax", { axis: -1n }] : ["Tanh", {}];
  const own: FunctionDefinition = {
    name: site.kind,
    inputs: ["a"],
    outputs: ["b"],
    nodes: [node(type, ["a"], ["b"], attributes)],
  };
  return { site, function: own };
}

function expanded(from: Model): Model {
  return rewrite(from, findSites(from).map(itself), { flat: true });
}

function distance(actual: Feeds, expected: Feeds): number {
  let worst = 0;
  for (const [name, { data, dims }] of Object.entries(expected)) {
    expect(actual[name].dims).toEqual(dims);
    for (let i = 0; i < data.length; i++) {
      if (Object.is(actual[name].data[i], data[i])) continue;
      const difference = Math.abs(Number(actual[name].data[i]) - Number(data[i]));
      worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
    }
  }
  return worst;
}

/** How far the expansion's outputs are from the operator's, both run by onnxruntime. */
async function errorOf(given: Case): Promise<number> {
  const { model: before, feeds } = makeCase(given);
  const after = expanded(before);
  expect(after.graph.node.map(({ opType }) => opType)).not.toContain(given.type);
  return distance(await run(after, feeds), await run(before, feeds));
}

const TOLERANCE = 3e-6;
const [BATCH, HEADS, QUERIES, SIZE, PAST] = [2, 3, 4, 5, 3] as const;
const WIDTH = HEADS * SIZE;

const floats = (...shape: readonly number[]): Input => ({ shape });

/** 0 and 1, mostly 1. */
function flags(...shape: readonly number[]): Input {
  const generator = random(11);
  const data = Int32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (generator.uniform() < 0.3 ? 0 : 1));
  return { shape, data };
}

function lengths(...values: readonly number[]): Input {
  return { shape: [values.length], data: Int32Array.from(values) };
}

const MASKS = ["none", "lengths", "keys", "queries and keys"] as const;

function mask(kind: (typeof MASKS)[number], keys: number): Input | null {
  if (kind === "none") return null;
  if (kind === "lengths") return lengths(2, keys);
  return kind === "keys" ? flags(BATCH, keys) : flags(BATCH, QUERIES, keys);
}

describe("the expansion of MultiHeadAttention gives what the operator gives", () => {
  const SEQUENCE = floats(BATCH, QUERIES, WIDTH);
  const pastInput = floats(BATCH, HEADS, PAST, SIZE);

  describe.each(MASKS)("mask: %s", (kind) => {
    it.each([false, true])("with a past: %s", async (hasPast) => {
      const keys = QUERIES + (hasPast ? PAST : 0);
      for (const bias of [null, floats(3 * WIDTH)])
        for (const heads of [0, 1, HEADS])
          for (const unidirectional of [0n, 1n]) {
            const added = heads === 0 ? null : floats(heads === 1 ? 1 : BATCH, heads, QUERIES, keys);
            const past = hasPast ? pastInput : null;
            const inputs = [SEQUENCE, SEQUENCE, SEQUENCE, bias, mask(kind, keys), added, past, past];
            const attributes = { num_heads: BigInt(HEADS), unidirectional };
            const outputs = ["y", "present_k", "present_v"];
            expect(
              await errorOf({ type: "MultiHeadAttention", attributes, inputs, outputs }),
              `${bias === null ? "" : "bias "}${heads} ${unidirectional}`,
            ).toBeLessThan(TOLERANCE);
          }
    });
  });

  it.each([11, 13, 17, 20])("in operator set %i", async (opset) => {
    const inputs = [SEQUENCE, SEQUENCE, SEQUENCE, floats(3 * WIDTH), mask("keys", QUERIES)];
    const attributes = { num_heads: BigInt(HEADS) };
    expect(await errorOf({ type: "MultiHeadAttention", attributes, inputs, opset })).toBeLessThan(TOLERANCE);
  });

  it("with keys of another length, wider values, a scale and a filter of its own", async () => {
    const keys = 6;
    const attributes = { num_heads: BigInt(HEADS), scale: 0.3, mask_filter_value: -2 };
    const [k, v] = [floats(BATCH, keys, WIDTH), floats(BATCH, keys, 2 * WIDTH)];
    const inputs = [SEQUENCE, k, v, floats(4 * WIDTH), mask("keys", keys)];
    expect(await errorOf({ type: "MultiHeadAttention", attributes, inputs })).toBeLessThan(TOLERANCE);
  });

  it("with keys in heads already, as in cross attention", async () => {
    const inHeads = floats(BATCH, HEADS, 6, SIZE);
    const inputs = [SEQUENCE, inHeads, inHeads];
    const attributes = { num_heads: BigInt(HEADS) };
    expect(await errorOf({ type: "MultiHeadAttention", attributes, inputs })).toBeLessThan(TOLERANCE);
  });

  it("with a row in which everything is masked", async () => {
    const nothing: Input = { shape: [BATCH, QUERIES], data: new Int32Array(BATCH * QUERIES) };
    for (const mask_filter_value of [-10000, -3.4028234663852886e38]) {
      const attributes = { num_heads: BigInt(HEADS), mask_filter_value };
      const inputs = [SEQUENCE, SEQUENCE, SEQUENCE, null, nothing];
      expect(await errorOf({ type: "MultiHeadAttention", attributes, inputs })).toBeLessThan(2e-3);
    }
  });
});

describe("the expansion of com.microsoft's Attention gives what the operator gives", () => {
  const IN = 7;
  const x = floats(BATCH, QUERIES, IN);

  describe.each(MASKS)("mask: %s", (kind) => {
    it.each([false, true])("with a past: %s", async (hasPast) => {
      const keys = QUERIES + (hasPast ? PAST : 0);
      // The kernel allows no bias of the scores beside a past.
      for (const added of hasPast ? [null] : [null, floats(1, HEADS, QUERIES, keys)])
        for (const unidirectional of [0n, 1n]) {
          const past = hasPast ? floats(2, BATCH, HEADS, PAST, SIZE) : null;
          const inputs = [x, floats(IN, 3 * WIDTH), floats(3 * WIDTH), mask(kind, keys), past, added];
          const attributes = { num_heads: BigInt(HEADS), unidirectional };
          const outputs = ["y", "present"];
          expect(
            await errorOf({ type: "Attention", attributes, inputs, outputs }),
            `${added === null ? "" : "added "}${unidirectional}`,
          ).toBeLessThan(TOLERANCE);
        }
    });
  });

  it.each([11, 13, 17, 18])("in operator set %i, with beginnings and ends of the keys", async (opset) => {
    const inputs = [x, floats(IN, 3 * WIDTH), floats(3 * WIDTH), lengths(3, 4, 1, 2)];
    const attributes = { num_heads: BigInt(HEADS) };
    expect(await errorOf({ type: "Attention", attributes, inputs, opset })).toBeLessThan(TOLERANCE);
  });

  it("without a bias, which the kernel wants even where it is 0", async () => {
    const attributes = { num_heads: BigInt(HEADS) };
    const [weights, zero] = [floats(IN, 3 * WIDTH), { shape: [3 * WIDTH], data: new Float32Array(3 * WIDTH) }];
    const { model: before, feeds } = makeCase({ type: "Attention", attributes, inputs: [x, weights, zero] });
    const { model: bare } = makeCase({ type: "Attention", attributes, inputs: [x, weights] });
    const given = { in_0: feeds.in_0, in_1: feeds.in_1 };
    expect(distance(await run(expanded(bare), given), await run(before, feeds))).toBeLessThan(TOLERANCE);
  });

  it("with values of another size", async () => {
    const attributes = {
      num_heads: BigInt(HEADS),
      qkv_hidden_sizes: [WIDTH, WIDTH, 2 * WIDTH].map(BigInt),
      scale: 0.7,
    };
    const inputs = [x, floats(IN, 4 * WIDTH), floats(4 * WIDTH)];
    expect(await errorOf({ type: "Attention", attributes, inputs })).toBeLessThan(TOLERANCE);
  });
});

describe("the expansion of ONNX's Attention gives what the operator gives", () => {
  const [KEY_HEADS, QUERY_HEADS, KEYS] = [2, 4, 6];
  const conditions = (...shape: readonly number[]): Input => {
    const { data } = flags(...shape);
    return { shape, data: Uint8Array.from(data as Int32Array) };
  };
  const flat = {
    attributes: { q_num_heads: BigInt(QUERY_HEADS), kv_num_heads: BigInt(KEY_HEADS) },
    inputs: [
      floats(BATCH, QUERIES, QUERY_HEADS * SIZE),
      floats(BATCH, KEYS, KEY_HEADS * SIZE),
      floats(BATCH, KEYS, KEY_HEADS * (SIZE + 1)),
    ],
  };
  const inHeads = {
    attributes: {},
    inputs: [
      floats(BATCH, QUERY_HEADS, QUERIES, SIZE),
      floats(BATCH, KEY_HEADS, KEYS, SIZE),
      floats(BATCH, KEY_HEADS, KEYS, SIZE + 1),
    ],
  };

  describe.each([23, 24])("in operator set %i", (opset) => {
    describe.each([
      ["flat", flat],
      ["in heads", inHeads],
    ])("%s", (_, { attributes, inputs }) => {
      const error = (
        more: Case["attributes"],
        mask: Input | null = null,
        past: readonly Input[] = [],
        outputs?: readonly string[],
      ): Promise<number> =>
        errorOf({
          type: "Attention",
          domain: "",
          opset,
          attributes: { ...attributes, ...more },
          inputs: [...inputs, mask, ...past],
          outputs: outputs ?? ["y"],
        });

      it.each([
        ["two axes", [QUERIES, KEYS]],
        ["heads", [QUERY_HEADS, QUERIES, KEYS]],
        ["four axes", [BATCH, 1, QUERIES, KEYS]],
        ["all four", [BATCH, QUERY_HEADS, QUERIES, KEYS]],
      ] as const)("with a mask of %s, causal or not, capped or not", async (_name, shape) => {
        for (const mask of [conditions(...shape), floats(...shape)])
          for (const is_causal of [0n, 1n])
            for (const softcap of [0, 1.5]) expect(await error({ is_causal, softcap }, mask)).toBeLessThan(TOLERANCE);
      });

      it("with a past, a scale, and the scores at each stage", async () => {
        const past = [floats(BATCH, KEY_HEADS, PAST, SIZE), floats(BATCH, KEY_HEADS, PAST, SIZE + 1)];
        const outputs = ["y", "present_k", "present_v", "scores"];
        for (const mode of [0n, 1n, 2n, 3n]) {
          const more = { qk_matmul_output_mode: mode, softcap: 2, scale: 0.2, is_causal: 1n };
          expect(await error(more, floats(QUERIES, PAST + KEYS), past, outputs)).toBeLessThan(TOLERANCE);
        }
      });

      it.each([-Infinity, -3.4028234663852886e38])(
        "where everything is masked for a query by %d: 0, not NaN",
        async (least) => {
          const shape = [QUERIES, KEYS];
          const some = Array.from({ length: QUERIES * KEYS }, (_, i) => i % QUERIES === 1);
          const nothing = new Uint8Array(QUERIES * KEYS);
          expect(await error({}, { shape, data: nothing })).toBeLessThan(TOLERANCE);
          const added = Float32Array.from(some, (counts, i) => (counts && i >= KEYS ? 0 : least));
          expect(await error({ is_causal: 1n }, { shape, data: added })).toBeLessThan(TOLERANCE);
        },
      );
    });
  });

  it("with numbers of keys that count", async () => {
    const counts: Input = { shape: [BATCH], data: BigInt64Array.of(0n, 5n) };
    const inputs = [...inHeads.inputs, null, null, null, counts];
    for (const is_causal of [0n, 1n])
      expect(
        await errorOf({ type: "Attention", domain: "", opset: 24, attributes: { is_causal }, inputs }),
      ).toBeLessThan(TOLERANCE);
  });
});

describe("an attention operator's sites", () => {
  const attention = (attributes: Case["attributes"] = {}): Model =>
    makeCase({ type: "Attention", domain: "", opset: 23, attributes, inputs: [1, 2, 3].map(() => floats(1, 2, 3, 4)) })
      .model;

  it("are its softmax and the tanh of its cap, named after its output", () => {
    const found = findSites(attention({ softcap: 2 }));
    expect(found.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      "tanh y/attention/softcap_tanh",
      "softmax y/attention/softmax",
    ]);
    expect(found[1]).toMatchObject({ axes: [-1], nodes: ["y/attention/softmax"] });
    expect(findSites(attention({ softcap: 2 }))).toEqual(found);
  });

  it("leave the operator whole until one of them is replaced", () => {
    const before = attention({ softcap: 2 });
    expect(rewrite(before, []).graph).toBe(before.graph);
    const [tanh] = findSites(before);
    const types = rewrite(before, [itself(tanh)]).graph.node.map(({ opType }) => opType);
    expect(types.filter((type) => ["Attention", "Softmax", "tanh"].includes(type))).toEqual(["tanh", "Softmax"]);
  });

  it("leave another attention operator whole", () => {
    const of = (x: string, y: string) => node("Attention", [x, x, x], [y]);
    const both = model({
      nodes: [of("x", "h"), of("h", "y")],
      inputs: [valueInfo("x", [1, 2, 3, 4])],
      outputs: [valueInfo("y", null)],
      opset: 23,
    });
    const sites = findSites(both);
    expect(sites.map(({ id }) => id)).toEqual(["h/attention/softmax", "y/attention/softmax"]);
    const types = rewrite(both, [itself(sites[1])]).graph.node.map(({ opType }) => opType);
    expect(types[0]).toBe("Attention");
    expect(types.filter((type) => type === "Attention")).toHaveLength(1);
  });

  it("have names of their own when the model uses those already", () => {
    const taken = model({
      nodes: [node("Attention", ["x", "x", "x"], ["y"]), node("Neg", ["y"], ["y/attention/q"])],
      inputs: [valueInfo("x", [1, 2, 3, 4])],
      outputs: [valueInfo("y/attention/q", null)],
      opset: 23,
    });
    expect(findSites(taken).map(({ id }) => id)).toEqual(["y/attention_1/softmax"]);
  });

  it("are none where the numbers are not binary32", () => {
    const half = model({
      nodes: [node("Attention", ["x", "x", "x"], ["y"])],
      inputs: [valueInfo("x", [1, 2, 3, 4], 10)],
      outputs: [valueInfo("y", null, 10)],
      opset: 23,
    });
    expect(findSites(half)).toEqual([]);
  });

  it("are found behind other operators of onnxruntime's optimizer, which tell the rank", () => {
    const ids = ["ids", "segments"].map((name) => valueInfo(name, [1, 3], TYPES.int32));
    const weights = ["words", "positions", "kinds", "gamma", "beta"].map((name) => valueInfo(name, null));
    const chain = model({
      nodes: [
        node(
          "EmbedLayerNormalization",
          ["ids", "segments", ...weights.map(({ name }) => name)],
          ["h"],
          {},
          {
            domain: MICROSOFT,
          },
        ),
        node("SkipLayerNormalization", ["h", "h", "gamma", "beta"], ["n"], {}, { domain: MICROSOFT }),
        node("MultiHeadAttention", ["n", "n", "n"], ["y"], { num_heads: 2n }, { domain: MICROSOFT }),
      ],
      inputs: [...ids, ...weights],
      outputs: [valueInfo("y", null)],
      domains: [MICROSOFT],
    });
    expect(findSites(chain).map(({ kind }) => kind)).toEqual(["layer-norm", "softmax"]);
  });
});

describe("attention in a body or a function", () => {
  const branch = (values: readonly NodeProto[]): GraphProto =>
    create(GraphProtoSchema, { name: "branch", node: [...values], output: [valueInfo("a", null)] });

  it("is expanded with what is known of the values from outside", async () => {
    const inside = node(
      "MultiHeadAttention",
      ["x", "x", "x", "", "mask"],
      ["a"],
      { num_heads: 2n },
      { domain: MICROSOFT },
    );
    const otherwise = node("Identity", ["x"], ["a"]);
    const before = model({
      nodes: [node("If", ["which"], ["y"], { then_branch: branch([inside]), else_branch: branch([otherwise]) })],
      inputs: [valueInfo("which", [], TYPES.bool), valueInfo("x", [1, 3, 4]), valueInfo("mask", [1, 3], TYPES.int32)],
      outputs: [valueInfo("y", null)],
      domains: [MICROSOFT],
    });
    const [site] = findSites(before);
    expect(site).toMatchObject({ id: "a/attention/softmax", scope: ["y.then_branch"] });
    const feeds = {
      which: new ort.Tensor("bool", Uint8Array.of(1), []),
      x: new ort.Tensor(
        "float32",
        Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
        [1, 3, 4],
      ),
      mask: new ort.Tensor("int32", Int32Array.of(1, 1, 0), [1, 3]),
    };
    expect(distance(await run(expanded(before), feeds), await run(before, feeds))).toBeLessThan(TOLERANCE);
  });

  it("is expanded in a model-local function", async () => {
    const proto = modelProto({
      nodes: [node("Block", ["x"], ["y"], {}, { domain: "local" })],
      inputs: [valueInfo("x", [1, 2, 3, 4])],
      outputs: [valueInfo("y", null)],
      opset: 23,
      irVersion: 10,
      domains: ["local"],
    });
    proto.functions.push(
      create(FunctionProtoSchema, {
        name: "Block",
        domain: "local",
        input: ["a"],
        output: ["b"],
        node: [node("Attention", ["a", "a", "a"], ["b"], { is_causal: 1n })],
        opsetImport: [{ domain: "", version: 23n }],
      }),
    );
    const before = readModel(toBinary(ModelProtoSchema, proto));
    expect(findSites(before)).toMatchObject([{ id: "b/attention/softmax", scope: ["local.Block()"] }]);
    const x = Float32Array.from({ length: 24 }, (_, i) => Math.cos(i));
    const feeds = { x: new ort.Tensor("float32", x, [1, 2, 3, 4]) };
    expect(distance(await run(expanded(before), feeds), await run(before, feeds))).toBeLessThan(TOLERANCE);
  });
});

describe("an attention operator that is left alone", () => {
  const sequence = floats(BATCH, QUERIES, WIDTH);
  const three = [sequence, sequence, sequence];
  const standard = { type: "Attention", domain: "" } as const;
  const packed = [floats(BATCH, QUERIES, 7), floats(7, 3 * WIDTH), floats(3 * WIDTH)];
  const LEFT: readonly (readonly [string, Case, string | RegExp])[] = [
    [
      "softmax in binary16",
      { ...standard, attributes: { softmax_precision: 10n }, inputs: three },
      /softmax_precision/,
    ],
    ["flat without heads", { ...standard, inputs: three }, /heads is 0/],
    ["no heads", { type: "MultiHeadAttention", attributes: { num_heads: 0n }, inputs: three }, /heads is 0/],
    ["half a head", { type: "MultiHeadAttention", attributes: { num_heads: 0.5 }, inputs: three }, /heads is 0.5/],
    ["no key", { ...standard, inputs: [sequence] }, /no key/],
    ["a mask of int32", { ...standard, inputs: [...three.map(() => floats(1, 2, 3, 4)), flags(3, 3)] }, /mask/],
    ["one packed input", { type: "MultiHeadAttention", inputs: [floats(1, 3, 2, 3, 4)] }, /packed/],
    ["scores given out", { type: "MultiHeadAttention", inputs: three, outputs: ["y", "", "", "qk"] }, /qk/],
    [
      "a mask of four axes",
      { type: "Attention", attributes: { num_heads: 3n }, inputs: [...packed, flags(BATCH, 1, 9, 9)] },
      /rank 4/,
    ],
    ["rotated queries", { type: "Attention", attributes: { num_heads: 3n, do_rotary: 1n }, inputs: packed }, /rotates/],
    [
      "a buffer for past and present",
      { type: "Attention", attributes: { past_present_share_buffer: 1n }, inputs: packed },
      /shares a buffer/,
    ],
    ["an operator of its own", { type: "GroupQueryAttention", inputs: three }, /no expansion/],
  ];

  it.each(LEFT)("has no sites, and says why: %s", (_, given, reason) => {
    const { model: from } = makeCase({ ...given, opset: given.domain === "" ? 23 : 17 });
    const { sites, skipped } = findLayers(from);
    expect(sites).toEqual([]);
    expect(skipped[0]?.reason).toMatch(reason);
  });

  it("is not what is expanded, nor any other operator", () => {
    const { model: from } = makeCase({ type: "MultiHeadAttention", attributes: { num_heads: 3n }, inputs: three });
    expect(notExpandedBecause(from.graph.node[0], viewGraph(from).facts)).toBeNull();
    expect(notExpandedBecause(node("Softmax", ["x"], ["y"]), viewGraph(from).facts)).toBeNull();
  });

  it("is one whose attributes are a function's parameters", () => {
    const inner = node("Attention", ["a", "a", "a"], ["b"], { q_num_heads: 2n });
    inner.attribute[0].refAttrName = "heads";
    const { model: from } = makeCase({ ...standard, opset: 23, inputs: three });
    expect(notExpandedBecause(inner, viewGraph(from).facts)).toMatch(/parameters/);
  });
});

describeShared("the expansions of the Attention node tests", () => {
  const folder = sharedPath("vectors/onnx_node_tests");

  it("give what the standard's own expansion gives, but for caps before masks", async () => {
    const names = readdirSync(folder).filter((name) => /^test_attention.*(?<!_expanded)$/.test(name));
    const far: string[] = [];
    for (const name of names.filter((one) => !one.includes("fp16"))) {
      const { model: before, inputs, expected } = readNodeTest(folder, name);
      const actual = await run(expanded(before), inputs);
      // The first edition of the standard, which made the tests, masks before it caps, and counts the stages so.
      const others = /qk_matmul_softcap/.test(name) ? ["qk_matmul_output", "Y"] : ["qk_matmul_output"];
      const isOther = (output: string): boolean => /qk_matmul_(bias|softcap)/.test(name) && others.includes(output);
      const compared = Object.entries(expected).filter(([output]) => !isOther(output));
      if (distance(actual, Object.fromEntries(compared)) > TOLERANCE) far.push(name);
    }
    expect(names.length).toBeGreaterThan(55);
    expect(far).toEqual([]);
  });

  it("mask the keys that a short mask says nothing of, as onnxruntime's operator cannot", async () => {
    const { model: before, inputs, expected } = readNodeTest(folder, "test_attention_4d_diff_heads_mask4d_padded_kv");
    expect(distance(await run(expanded(before), inputs), expected)).toBeLessThan(TOLERANCE);
  });
});
