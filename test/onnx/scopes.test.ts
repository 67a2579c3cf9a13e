import { create, toBinary } from "@bufbuild/protobuf";
import {
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
} from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  concatenate,
  constant,
  type FunctionDefinition,
  findSites,
  int64,
  type Model,
  node,
  readModel,
  rewrite,
  tensor,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { model, modelProto, valueInfo } from "./models.ts";

const Type = TensorProto_DataType;
const x = { x: new ort.Tensor("float32", Float32Array.from([-3, -2, -1, -0.5, 0, 0.5, 1, 2]), [2, 4]) };

async function run(from: Model, feeds: Readonly<Record<string, ort.Tensor>> = x): Promise<readonly number[]> {
  const bytes = concatenate(writeModel(from));
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const { y } = await session.run(feeds);
  await session.release();
  return Array.from(y.data as Float32Array);
}

/** A body whose inputs and outputs are declared by name alone, as ONNX allows. */
function body(nodes: readonly NodeProto[], outputs: readonly string[], inputs: readonly string[] = []): GraphProto {
  const values = (names: readonly string[]) => names.map((name) => ({ name }));
  return create(GraphProtoSchema, {
    name: "body",
    node: [...nodes],
    input: values(inputs),
    output: outputs.map((name) => valueInfo(name, null, name === "on" ? Type.BOOL : Type.FLOAT)),
  });
}

/** Stands for a table of tanh, and shows that it was called: 2 tanh. */
const DOUBLE_TANH: FunctionDefinition = {
  name: "double_tanh",
  inputs: ["a"],
  outputs: ["b"],
  nodes: [constant("two", 2), node("Tanh", ["a"], ["t"]), node("Mul", ["t", "two"], ["b"])],
};

function doubled(from: Model, flat: boolean): Model {
  const replacements = findSites(from).map((site) => ({ site, function: DOUBLE_TANH }));
  return rewrite(from, replacements, { flat });
}

async function expectDoubled(from: Model, exact: (x: number) => number): Promise<void> {
  for (const flat of [false, true]) {
    // What is written can be read again, and runs.
    const written = readModel(concatenate(writeModel(doubled(from, flat))));
    const results = await run(written);
    for (const [i, value] of (x.x.data as Float32Array).entries()) expect(results[i]).toBeCloseTo(exact(value), 5);
  }
}

const branches = (then: GraphProto, otherwise: GraphProto, output: string): readonly NodeProto[] => [
  constant("zero", 0),
  node("ReduceSum", ["x"], ["sum"], { keepdims: 0n }),
  node("Less", ["sum", "zero"], ["negative"]),
  node("If", ["negative"], [output], { then_branch: then, else_branch: otherwise }),
];

const tanhBranch = (): GraphProto => body([node("Tanh", ["x"], ["t"]), node("Neg", ["t"], ["n"])], ["n"]);

describe("sites in the branches of If", () => {
  const choice = (): Model => model({ nodes: branches(tanhBranch(), tanhBranch(), "y") });

  it("are found with their scope, and ids are unique though branches share names", () => {
    expect(findSites(choice()).map(({ id, output, scope }) => ({ id, output, scope }))).toEqual([
      { id: "t", output: "t", scope: ["y.then_branch"] },
      { id: "y.else_branch/t", output: "t", scope: ["y.else_branch"] },
    ]);
  });

  it("are replaced there, and run in onnxruntime, as calls and in place", async () => {
    await expectDoubled(choice(), (v) => -2 * Math.tanh(v));
  });

  it("are replaced one by one: the other branch is shared with the model before", () => {
    const before = choice();
    const [site] = findSites(before);
    const after = rewrite(before, [{ site, function: DOUBLE_TANH }]);
    const [then, otherwise] = after.graph.node.at(-1)?.attribute.map(({ g }) => g) ?? [];
    expect(then?.node.map(({ domain, opType }) => `${domain}.${opType}`)).toEqual(["lutra.double_tanh", ".Neg"]);
    expect(otherwise).toBe(before.graph.node.at(-1)?.attribute[1].g);
  });

  it("are found at any depth", async () => {
    const inner = node("If", ["negative"], ["n"], { then_branch: tanhBranch0(), else_branch: tanhBranch0() });
    const nested = model({ nodes: branches(body([inner], ["n"]), tanhBranch(), "y") });
    expect(findSites(nested).map(({ scope }) => scope?.join(" "))).toEqual([
      "y.then_branch n.then_branch",
      "y.then_branch n.else_branch",
      "y.else_branch",
    ]);
    await expectDoubled(nested, (v) => -2 * Math.tanh(v));
  });

  const tanhBranch0 = (): GraphProto => body([node("Tanh", ["x"], ["t0"]), node("Neg", ["t0"], ["n0"])], ["n0"]);

  it("see the constants around them, and take nothing that an inner body reads", () => {
    const gelu = (inside: readonly NodeProto[]): GraphProto =>
      body(
        [
          node("Div", ["x", "root"], ["d"]),
          node("Erf", ["d"], ["e"]),
          node("Add", ["e", "one"], ["a"]),
          node("Mul", ["x", "a"], ["m"]),
          node("Mul", ["m", "half"], ["g"]),
          ...inside,
        ],
        ["g"],
      );
    const leak = node("If", ["negative"], ["leak"], {
      then_branch: body([node("Neg", ["e"], ["e1"])], ["e1"]),
      else_branch: body([node("Neg", ["e"], ["e2"])], ["e2"]),
    });
    const before = model({
      nodes: [constant("half", 0.5), ...branches(gelu([]), gelu([leak]), "y")],
      initializers: [tensor(Math.SQRT2, [], "root"), tensor(1, [], "one")],
    });
    expect(findSites(before).map(({ kind, scope }) => `${kind} ${scope?.join(" ")}`)).toEqual([
      "gelu y.then_branch",
      "erf y.else_branch",
    ]);
  });

  it("are not found in arithmetic on shapes, or in other element types", () => {
    const arithmetic = body([node("Sqrt", ["extents"], ["s"]), node("Add", ["s", "x"], ["r"])], ["r"]);
    const halves = body([node("Tanh", ["half"], ["t"]), node("Cast", ["t"], ["r"], { to: BigInt(Type.FLOAT) })], ["r"]);
    const before = model({
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("ReduceProd", ["shape"], ["size"], { keepdims: 0n }),
        node("Cast", ["size"], ["extents"], { to: BigInt(Type.FLOAT) }),
        node("Cast", ["x"], ["half"], { to: BigInt(Type.FLOAT16) }),
        ...branches(arithmetic, halves, "y"),
      ],
    });
    expect(findSites(before)).toEqual([]);
  });
});

describe("sites in loops", () => {
  const twice = (state: string, before: readonly NodeProto[] = []): Model => {
    const step = body([node("Tanh", ["state"], ["t"]), node("Identity", ["goes"], ["on"])], ["on"]);
    const given = [valueInfo("i", [], Type.INT64), valueInfo("goes", [], Type.BOOL)];
    step.input.push(...given, create(ValueInfoProtoSchema, { name: "state" }));
    step.output.push(create(ValueInfoProtoSchema, { name: "t" }));
    const times = node("Constant", [], ["times"], { value: tensor(int64([2]), []) });
    return model({ nodes: [times, ...before, node("Loop", ["times", "", state], ["y"], { body: step })] });
  };

  it("are found and replaced in the body of a Loop", async () => {
    const before = twice("x");
    expect(findSites(before).map(({ id, scope }) => [id, scope])).toEqual([["t", ["y.body"]]]);
    await expectDoubled(before, (v) => 2 * Math.tanh(2 * Math.tanh(v)));
  });

  it("are found and replaced in the body of a Scan", async () => {
    const step = body([node("Tanh", ["row"], ["t"]), node("Identity", ["s"], ["s1"])], ["s1", "t"], ["s", "row"]);
    const before = model({
      nodes: [constant("start", 0), node("Scan", ["start", "x"], ["last", "y"], { body: step, num_scan_inputs: 1n })],
    });
    expect(findSites(before).map(({ scope }) => scope)).toEqual([["last.body"]]);
    await expectDoubled(before, (v) => 2 * Math.tanh(v));
  });

  it("are not found where what is carried is not binary32", () => {
    expect(findSites(twice("wide", [node("Cast", ["x"], ["wide"], { to: BigInt(Type.DOUBLE) })]))).toEqual([]);
  });
});

describe("sites in model-local functions", () => {
  const opset = (version: number) => create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(version) });
  const custom = create(OperatorSetIdProtoSchema, { domain: "custom", version: 1n });
  const calling = (nodes: readonly NodeProto[], version = 17): Model => {
    const proto = modelProto({ nodes });
    proto.opsetImport.push(custom);
    proto.functions = [
      create(FunctionProtoSchema, {
        domain: "custom",
        name: "outer",
        input: ["a"],
        output: ["b"],
        node: [node("inner", ["a"], ["n"], {}, { domain: "custom" }), node("Neg", ["n"], ["b"])],
        opsetImport: [opset(17), custom],
      }),
      create(FunctionProtoSchema, {
        domain: "custom",
        name: "inner",
        input: ["a"],
        output: ["b"],
        node: [node("Tanh", ["a"], ["b"])],
        opsetImport: [opset(version)],
      }),
    ];
    return readModel(toBinary(ModelProtoSchema, proto));
  };

  it("are found where a call leads to them, whatever the depth, and replaced in the function", async () => {
    const before = calling([node("outer", ["x"], ["y"], {}, { domain: "custom" })]);
    expect(findSites(before).map(({ id, scope }) => [id, scope])).toEqual([["b", ["custom.inner()"]]]);
    await expectDoubled(before, (v) => -2 * Math.tanh(v));
    const imports = doubled(before, false).proto.functions.map(({ opsetImport }) =>
      opsetImport.map(({ domain }) => domain).join(" "),
    );
    expect(imports).toEqual([" custom", " lutra", " custom"]);
  });

  it("are not found in functions of another operator set, or that nothing calls", () => {
    const call = node("outer", ["x"], ["y"], {}, { domain: "custom" });
    expect(findSites(calling([call], 16))).toEqual([]);
    expect(findSites(calling([node("Neg", ["x"], ["y"])]))).toEqual([]);
  });

  it("are not found in functions called with another element type", () => {
    const call = node("outer", ["wide"], ["w"], {}, { domain: "custom" });
    const casts = [
      node("Cast", ["x"], ["wide"], { to: BigInt(Type.DOUBLE) }),
      call,
      node("Cast", ["w"], ["y"], { to: BigInt(Type.FLOAT) }),
    ];
    expect(findSites(calling(casts))).toEqual([]);
  });

  it("are not found in functions whose calls differ in element type", () => {
    const calls = [
      node("outer", ["x"], ["y"], {}, { domain: "custom" }),
      node("Cast", ["x"], ["wide"], { to: BigInt(Type.DOUBLE) }),
      node("outer", ["wide"], ["w"], {}, { domain: "custom" }),
    ];
    expect(findSites(calling(calls))).toEqual([]);
  });

  it("are not found in the functions that rewriting added", () => {
    const before = model({ nodes: [node("Tanh", ["x"], ["y"])] });
    expect(findSites(doubled(before, false))).toEqual([]);
  });
});
