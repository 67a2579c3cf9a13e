import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "onnx-buf";
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  embedExternal,
  externalFiles,
  findSites,
  node,
  readModel,
  tensor,
} from "../../packages/lutra/src/onnx/index.ts";
import { storedTensors } from "../../packages/lutra/src/onnx/stored.ts";
import { decodeTensor } from "../../packages/lutra/src/onnx/tensor.ts";
import { modelBytes, modelProto, valueInfo } from "./models.ts";

const small = modelBytes({
  nodes: [
    node("LayerNormalization", ["x", "gamma", "beta"], ["normed"], { axis: -1n, epsilon: 1e-5 }),
    node("Gelu", ["normed"], ["y"], { approximate: "tanh" }),
  ],
  initializers: [tensor(new Float32Array(4), [4], "gamma"), tensor(new Float32Array(4), [4], "beta")],
  opset: 20,
});

function refusal(read: () => unknown): LutraError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(LutraError);
    return error as LutraError;
  }
  throw new Error("it was accepted");
}

/** Reads and searches; anything but a model or a LutraError "bad-model" fails the test. */
function isReadOrRefused(bytes: Uint8Array): boolean {
  try {
    findSites(readModel(bytes));
    return true;
  } catch (error) {
    if (error instanceof LutraError && error.code === "bad-model") return true;
    throw error;
  }
}

const text = (content: string): Uint8Array => Uint8Array.from(content, (character) => character.charCodeAt(0));

describe("readModel on what is not a model", () => {
  it("says that an empty file is empty", () => {
    expect(refusal(() => readModel(new Uint8Array(0))).message).toBe("the model file is empty");
  });

  it.each([
    ["PK\x03\x04zipped", "ZIP"],
    ["\x1c\0\0\0TFL3rest", "TensorFlow Lite"],
    ["version https://git-lfs.github.com/spec/v1\n", "Git LFS"],
    ['{"a": 1}', "JSON"],
    ["just some words\n", "text"],
    ["\x93NUMPY\x01\0", "NumPy"],
  ])("says what %j looks like", (content, what) => {
    const error = refusal(() => readModel(text(content)));
    expect(error.code).toBe("bad-model");
    expect(error.message).toMatch(/^this is not an ONNX model/);
    expect(error.message).toContain(what);
  });

  it("says where a truncated file ends", () => {
    const error = refusal(() => readModel(small.subarray(0, 60)));
    expect(error.message).toContain("truncated");
    expect(error.where).toMatch(/^byte \d+, in graph/);
  });

  it("refuses a model without a graph", () => {
    const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n }));
    expect(refusal(() => readModel(bytes)).message).toContain("no graph");
  });

  it("gives a model or a LutraError for a small model cut at every length", () => {
    for (let length = 0; length < small.length; length++) isReadOrRefused(small.subarray(0, length));
  });

  it("gives a LutraError for 1,000 sampled random byte strings", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(refusal(() => readModel(bytes)).code).toBe("bad-model");
      }),
      { seed: 2 },
    );
  });
});

describe("readModel on graphs that cannot run", () => {
  const message = (parts: Parameters<typeof modelBytes>[0]): string =>
    refusal(() => readModel(modelBytes(parts))).message;

  it("names a node on a cycle, not one that merely leads into it", () => {
    const nodes = [
      node("Add", ["x", "c"], ["a"], {}, { name: "first" }),
      node("Exp", ["a"], ["b"], {}, { name: "second" }),
      node("Tanh", ["b"], ["c"], {}, { name: "third" }),
      node("Exp", ["c"], ["y"], {}, { name: "after" }),
    ];
    expect(message({ nodes })).toMatch(/cycle through node (first|second|third)$/);
    expect(message({ nodes: [...nodes].reverse() })).toMatch(/cycle through node (first|second|third)$/);
  });

  it("accepts nodes that are out of order", () => {
    const nodes = [node("Exp", ["a"], ["y"]), node("Tanh", ["x"], ["a"])];
    expect(readModel(modelBytes({ nodes })).graph.node).toHaveLength(2);
  });

  it("names a value that is produced twice, and one that is never produced", () => {
    expect(message({ nodes: [node("Exp", ["x"], ["y"]), node("Tanh", ["x"], ["y"])] })).toContain(
      '"y" is produced more',
    );
    expect(message({ nodes: [node("Exp", ["z"], ["y"])] })).toContain('reads "z", which nothing produces');
    expect(message({ nodes: [node("Exp", ["x"], ["z"])] })).toContain('output "y" is not produced');
  });

  it("finds the same faults in subgraphs, which see the values around them", () => {
    const branch = (input: string) =>
      create(AttributeProtoSchema, {
        name: "then_branch",
        type: 5,
        g: { name: "branch", node: [node("Exp", [input], ["inner"])], output: [valueInfo("inner")] },
      });
    const conditional = (input: string) =>
      create(NodeProtoSchema, { opType: "If", input: ["x"], output: ["y"], attribute: [branch(input)] });
    expect(readModel(modelBytes({ nodes: [conditional("x")] })).opset).toBe(17);
    expect(message({ nodes: [conditional("z")] })).toContain('reads "z"');
    expect(message({ nodes: [conditional("y")] })).toContain("cycle");
    const twins = conditional("x");
    twins.attribute.push(branch("x"));
    expect(message({ nodes: [twins] })).toContain("two bodies of one name");
  });

  it.each([6, 27])("refuses opset %d and says which are supported", (opset) => {
    const error = refusal(() => readModel(modelBytes({ nodes: [node("Exp", ["x"], ["y"])], opset })));
    expect(error.message).toBe(`opset ${opset} is not supported`);
    expect(error.note).toContain("opset 7 to 26");
  });
});

describe("readModel on external data", () => {
  const stored = (location: string, elements: bigint, length: string) =>
    Object.assign(tensor(new Float32Array(0), [0], "w"), {
      dims: [elements],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [
        ["location", location],
        ["length", length],
      ].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    });
  const external = (location: string, elements = 4n, length = `${4n * elements}`) =>
    modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], initializers: [stored(location, elements, length)] });

  it("keeps the file it was given, and does not read it", () => {
    const read = (): Uint8Array => {
      throw new Error("was read");
    };
    const file = { size: 2 ** 40, read };
    const model = readModel(external("weights.bin"), { external: () => file });
    expect(model.external.get("weights.bin")).toBe(file);
    expect(findSites(model)).toEqual([]);
    expect(externalFiles(model)).toEqual([]);
    const large = readModel(external("weights.bin", 2n ** 31n), { external: () => file });
    expect(externalFiles(large)).toEqual(["weights.bin"]);
    expect(embedExternal(large)).toBe(large);
  });

  it("names a file that is missing, too short or outside the model's folder", () => {
    const missing = () => {
      throw new Error("ENOENT");
    };
    const error = refusal(() => readModel(external("weights.bin"), { external: missing }));
    expect(error.message).toContain('"weights.bin" cannot be read');
    expect(error.where).toBe("tensor w");
    expect(error.note).toContain("beside the model");
    const short = () => new Uint8Array(15);
    expect(refusal(() => readModel(external("weights.bin"), { external: short })).message).toContain("too short");
    for (const location of ["../weights.bin", "/etc/passwd", "C:\\weights.bin"])
      expect(refusal(() => readModel(external(location), { external: short })).message).toContain("outside");
    expect(refusal(() => readModel(external("weights.bin", 4n, "-1"), { external: short })).message).toContain(
      "no valid",
    );
  });
});

describe("embedExternal", () => {
  it("brings in the tensors of the graph, of bodies and of functions, and shares the rest", () => {
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    const stored = (name: string, offset: number) =>
      Object.assign(tensor(new Float32Array(0), [0], name), {
        dims: [2n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [entry("location", "w.bin"), entry("offset", `${offset}`), entry("length", "8")],
      });
    const body = (at: number) => ({
      node: [
        node("Constant", [], [`c${at}`], { value: stored("", at) }),
        node("Add", [`w${at}`, `c${at}`], [`b${at}`]),
      ],
      initializer: [stored(`w${at}`, at + 8)],
      output: [valueInfo(`b${at}`)],
    });
    const branch = (name: string, at: number) => create(AttributeProtoSchema, { name, type: 5, g: body(at) });
    const conditional = create(NodeProtoSchema, {
      opType: "If",
      input: ["x"],
      output: ["c"],
      attribute: [branch("then_branch", 0), branch("else_branch", 16)],
    });
    const proto = modelProto({
      nodes: [conditional, node("Add", ["c", "w"], ["s"]), node("Exp", ["s"], ["y"])],
      initializers: [stored("w", 32)],
    });
    proto.functions.push(
      create(FunctionProtoSchema, { name: "f", node: [node("Constant", [], ["k"], { value: stored("", 40) })] }),
    );
    const floats = Float32Array.from({ length: 12 }, (_, i) => i);
    const given = readModel(toBinary(ModelProtoSchema, proto), { external: () => new Uint8Array(floats.buffer) });
    const inside = embedExternal(given);
    expect([...storedTensors(inside.proto)].map((one) => decodeTensor(one)?.data)).toEqual(
      [8, 2, 0, 6, 4, 10].map((first) => Float32Array.of(first, first + 1)),
    );
    expect(inside.external.size).toBe(0);
    expect(inside.graph.node.slice(1)).toEqual(given.graph.node.slice(1));
    expect(inside.graph.node[2]).toBe(given.graph.node[2]);
    expect(externalFiles(given)).toEqual([]);
  });
});

describe("the size of a stored tensor", () => {
  const refusalOf = (change: Partial<TensorProto>): LutraError => {
    const w = Object.assign(tensor(new Float32Array(4), [2, 2], "w"), change);
    return refusal(() => readModel(modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], initializers: [w] })));
  };

  it.each<[string, Partial<TensorProto>, string]>([
    ["raw bytes too few", { rawData: new Uint8Array(12) }, "[2, 2] of float asks for 16 bytes, it has 12"],
    ["raw bytes too many", { rawData: new Uint8Array(20) }, "[2, 2] of float asks for 16 bytes, it has 20"],
    ["another type", { dataType: 10 }, "[2, 2] of float16 asks for 8 bytes, it has 16"],
    ["four bits", { dataType: 22, dims: [3n] }, "[3] of int4 asks for 2 bytes, it has 16"],
    ["a list", { rawData: new Uint8Array(0), floatData: [1, 2] }, "[2, 2] of float asks for 4 numbers, it has 2"],
    ["nothing", { rawData: new Uint8Array(0) }, "[2, 2] of float asks for 4 numbers, it has 0"],
    ["a negative extent", { dims: [-1n, -4n] }, "[-1, -4] of float is no shape"],
  ])("must be what its shape and type ask for: %s", (_what, change, says) => {
    const error = refusalOf(change);
    expect(error.code).toBe("bad-model");
    expect(error.message).toBe(`the data of tensor "w" do not fit: ${says}`);
    expect(error.where).toBe("tensor w");
  });

  it("may be zero, and that of texts is not looked at", () => {
    const empty = tensor(new Float32Array(0), [0, 3], "w");
    const texts = Object.assign(tensor(new Float32Array(0), [0], "t"), { dims: [2n], dataType: 8 });
    const nodes = [node("Add", ["x", "w"], ["y"])];
    expect(readModel(modelBytes({ nodes, initializers: [empty, texts] })).opset).toBe(17);
  });
});

describe("the reader's limits", () => {
  const lengthDelimited = (field: number, content: Uint8Array): Uint8Array => {
    const length = [0, 7, 14, 21, 28].map((shift) => (content.length >>> shift) & 127);
    const prefix = length.map((digit, i) => (i < 4 ? digit | 128 : digit));
    const message = new Uint8Array(6 + content.length);
    message.set([field * 8 + 2, ...prefix]);
    message.set(content, 6);
    return message;
  };

  it("refuses subgraphs nested deeper than protobuf allows", () => {
    let graph = create(GraphProtoSchema, { node: [node("Exp", ["x"], ["y"])] });
    for (let level = 0; level < 40; level++) {
      const attribute = create(AttributeProtoSchema, { name: "body", g: graph });
      graph = create(GraphProtoSchema, { node: [create(NodeProtoSchema, { opType: "Loop", attribute: [attribute] })] });
    }
    const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph }));
    expect(refusal(() => readModel(bytes)).message).toContain("nested deeper");
  });

  it("refuses groups nested in unknown fields without end", () => {
    expect(refusal(() => readModel(new Uint8Array(100_000).map((_, i) => (i % 2 === 0 ? 0x9b : 1)))).message).toContain(
      "nested deeper",
    );
  });

  it("refuses 2^18 empty nodes and 2^24 numbers before anything is allocated for them", () => {
    const nodes = new Uint8Array(2 * (2 ** 18 + 1)).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    expect(refusal(() => readModel(lengthDelimited(7, nodes))).message).toContain("more than 262144 nodes");
    const int64Data = lengthDelimited(7, new Uint8Array(2 ** 24 + 1));
    const bomb = lengthDelimited(7, lengthDelimited(5, int64Data));
    expect(refusal(() => readModel(bomb)).message).toContain("more than 16777216 numbers");
  });

  it("refuses a text that is not UTF-8, since it could not be written again", () => {
    const bytes = small.slice();
    bytes[bytes.indexOf("n".charCodeAt(0), 20)] = 0xff;
    expect(refusal(() => readModel(bytes)).message).toContain("not UTF-8");
  });

  it("survives attributes with absurd numbers", () => {
    for (const axis of [-(2n ** 62n), 2n ** 62n, -100n])
      for (const opType of ["LayerNormalization", "Softmax", "RMSNormalization"]) {
        const inputs = opType === "Softmax" ? ["x"] : ["x", "w"];
        const initializers = [tensor(new Float32Array(4), [4], "w")];
        const bytes = modelBytes({ nodes: [node(opType, inputs, ["y"], { axis })], initializers, opset: 23 });
        expect(findSites(readModel(bytes)).length).toBeLessThan(2);
      }
  });

  it("finds no layer in operators whose inputs are missing", () => {
    const nodes = [
      node("Pow", ["x"], ["a"]),
      node("Mish", [], ["b"]),
      node("Softmax", [""], ["c"]),
      node("GroupNormalization", ["x", "x"], ["d"], { num_groups: 2n }),
      node("Div", ["x"], ["y"]),
    ];
    expect(findSites(readModel(modelBytes({ nodes, opset: 18 })))).toEqual([]);
  });

  it("refuses a constant whose data do not fit its shape", () => {
    const wrong = Object.assign(tensor(new Float32Array(3), [3], "w"), { dims: [2n ** 60n, 4n] });
    const nodes = [node("Mul", ["x", "w"], ["z"]), node("Sigmoid", ["z"], ["s"]), node("Mul", ["z", "s"], ["y"])];
    const bytes = modelBytes({ nodes, initializers: [wrong] });
    expect(isReadOrRefused(bytes)).toBe(true);
  });
});
