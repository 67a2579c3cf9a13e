import { readdirSync, readFileSync } from "node:fs";
import { TensorProto_DataType } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { constant, findSites, int64, node, readModel, type Site, tensor } from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { model, valueInfo } from "./models.ts";

/** "gelu decomposed": how often. */
function tally(sites: readonly Site[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, form } of sites) counts[`${kind} ${form}`] = (counts[`${kind} ${form}`] ?? 0) + 1;
  return counts;
}

type Parts = Parameters<typeof model>[0];
const kindsOf = (parts: Parts): string[] => findSites(model(parts)).map((site) => site.kind);
const kinds = (...nodes: Parts["nodes"]): string[] => kindsOf({ nodes });

describe("operator forms", () => {
  it.each([
    ["Erf", "erf"],
    ["Exp", "exp"],
    ["Log", "log"],
    ["Sqrt", "sqrt"],
    ["Reciprocal", "reciprocal"],
    ["Tanh", "tanh"],
    ["Sigmoid", "sigmoid"],
    ["Mish", "mish"],
    ["Softplus", "softplus"],
    ["Elu", "elu"],
    ["Selu", "selu"],
    ["HardSwish", "hard-swish"],
    ["Softsign", "softsign"],
    ["Sin", "sin"],
    ["Cos", "cos"],
    ["Gelu", "gelu"],
    ["Swish", "silu"],
  ])("%s is %s", (opType, kind) => {
    expect(findSites(model({ nodes: [node(opType, ["x"], ["y"])] }))).toEqual([
      { id: "y", kind, form: "operator", nodes: ["y"], inputs: ["x"], output: "y", attributes: {}, axes: null },
    ]);
  });

  it("reads the attributes that decide which function it is", () => {
    expect(kinds(node("Gelu", ["x"], ["y"], { approximate: "tanh" }))).toEqual(["gelu-tanh"]);
    expect(kinds(node("HardSigmoid", ["x"], ["y"], { alpha: Math.fround(1 / 6) }))).toEqual(["hard-sigmoid"]);
    expect(kinds(node("HardSigmoid", ["x"], ["y"]))).toEqual(["min(max(0.2*x+0.5,0),1)"]);
    expect(kinds(node("Elu", ["x"], ["y"], { alpha: 0.5 }))).toEqual(["max(x,0)+0.5*elu(min(x,0))"]);
    expect(kinds(node("Celu", ["x"], ["y"]))).toEqual(["elu"]);
    expect(kinds(node("Celu", ["x"], ["y"], { alpha: 2 }))).toEqual(["2*elu(x/2)"]);
    expect(kinds(node("Swish", ["x"], ["y"], { alpha: 2 }))).toEqual(["silu(2*x)/2"]);
    expect(kinds(constant("p", -0.5), node("Pow", ["x", "p"], ["y"]))).toEqual(["rsqrt"]);
    expect(kinds(constant("p", 1.25), node("Pow", ["x", "p"], ["y"]))).toEqual(["x^1.25"]);
    expect(kinds(constant("p", 3), node("Pow", ["x", "p"], ["y"]))).toEqual([]);
  });

  it("knows onnxruntime's own operators, without their extra inputs", () => {
    const microsoft = { domain: "com.microsoft" };
    expect(kinds(node("Gelu", ["x"], ["y"], {}, microsoft))).toEqual(["gelu"]);
    expect(kinds(node("FastGelu", ["x"], ["y"], {}, microsoft))).toEqual(["gelu-tanh"]);
    expect(kinds(node("QuickGelu", ["x"], ["y"], { alpha: Math.fround(1.702) }, microsoft))).toEqual(["quick-gelu"]);
    expect(kinds(node("QuickGelu", ["x"], ["y"], { alpha: 1 }, microsoft))).toEqual(["silu"]);
    expect(kinds(node("QuickGelu", ["x"], ["y"], { alpha: 3 }, microsoft))).toEqual(["silu(3*x)/3"]);
    expect(kinds(node("Exp", ["x"], ["y"], {}, { domain: "my.own" }))).toEqual([]);
  });

  it("gives a softmax one negative axis, and all that opset 12 flattens", () => {
    const softmax = (opset: number, axis?: bigint, rank = 2) => {
      const shape = Array.from({ length: rank }, (_, i) => i + 2);
      const nodes = [node("Softmax", ["x"], ["y"], axis === undefined ? {} : { axis })];
      return findSites(model({ nodes, opset, inputs: [valueInfo("x", shape)] })).map((site) => site.axes);
    };
    expect(softmax(13)).toEqual([[-1]]);
    expect(softmax(13, 0n, 3)).toEqual([[-3]]);
    expect(softmax(12)).toEqual([[-1]]);
    expect(softmax(12, 2n, 3)).toEqual([[-1]]);
    expect(softmax(12, undefined, 3)).toEqual([[-2, -1]]);
    expect(softmax(12, 1n, 4)).toEqual([[-3, -2, -1]]);
  });

  it("needs the rank for an axis counted from the front, and infers it", () => {
    const nodes = [node("Reshape", ["x", "shape"], ["z"]), node("Softmax", ["z"], ["y"], { axis: 1n })];
    const shape = tensor(int64([2, 2, 2]), [3], "shape");
    const unknown = { inputs: [valueInfo("x", null)], outputs: [valueInfo("y", null)] };
    expect(findSites(model({ nodes, initializers: [shape], ...unknown }))[0].axes).toEqual([-2]);
    expect(findSites(model({ nodes: [node("Softmax", ["x"], ["y"], { axis: 1n })], ...unknown }))).toEqual([]);
  });

  it("records gamma, beta, epsilon and all axes of a norm, one whose mean is used too", () => {
    const weights = [tensor(new Float32Array(8), [2, 4], "g"), tensor(new Float32Array(8), [2, 4], "b")];
    const layer = (outputs: readonly string[]) => node("LayerNormalization", ["x", "g", "b"], outputs, { axis: 0n });
    const [site] = findSites(model({ nodes: [layer(["y"])], initializers: weights }));
    expect(site).toMatchObject({ kind: "layer-norm", inputs: ["x", "g", "b"], axes: [-2, -1] });
    expect(site.attributes.epsilon).toBe(1e-5);
    expect(kindsOf({ nodes: [layer(["y", "mean"])], initializers: weights })).toEqual(["layer-norm"]);
    const outputs = [valueInfo("y"), valueInfo("mean", [1, 1])];
    expect(kindsOf({ nodes: [layer(["y", "mean"])], initializers: weights, outputs })).toEqual(["layer-norm"]);
    const rms = node("RMSNormalization", ["x", "g"], ["y"], { epsilon: 0.25 });
    expect(findSites(model({ nodes: [rms], initializers: weights, opset: 23 }))[0]).toMatchObject({
      kind: "rms-norm",
      inputs: ["x", "g"],
      attributes: { epsilon: 0.25 },
      axes: [-1],
    });
  });

  it("leaves other element types, constants and arithmetic on shapes alone", () => {
    const double = [valueInfo("x", [2, 4], TensorProto_DataType.DOUBLE)];
    expect(kindsOf({ nodes: [node("Exp", ["x"], ["y"])], inputs: double })).toEqual([]);
    const cast = node("Cast", ["x"], ["h"], { to: BigInt(TensorProto_DataType.FLOAT16) });
    expect(kinds(cast, node("Exp", ["h"], ["y"]))).toEqual([]);
    expect(kinds(constant("c", 2), node("Sqrt", ["c"], ["r"]), node("Mul", ["x", "r"], ["y"]))).toEqual([]);
    const extent = node("Cast", ["s"], ["f"], { to: BigInt(TensorProto_DataType.FLOAT) });
    expect(kinds(node("Shape", ["x"], ["s"]), extent, node("Sqrt", ["f"], ["y"]))).toEqual([]);
  });
});

describe("decomposed forms", () => {
  const half = constant("half", 0.5);
  const one = constant("one", 1);
  const root2 = constant("root2", Math.SQRT2);
  const erfOf = (divided = true) =>
    divided
      ? [root2, node("Div", ["x", "root2"], ["u"]), node("Erf", ["u"], ["e"])]
      : [constant("c", Math.SQRT1_2), node("Mul", ["c", "x"], ["u"]), node("Erf", ["u"], ["e"])];

  it.each([
    ["x * (1 + erf) * 0.5", [node("Mul", ["x", "s"], ["m"]), node("Mul", ["m", "half"], ["y"])]],
    ["0.5 * x * (1 + erf)", [node("Mul", ["half", "x"], ["m"]), node("Mul", ["m", "s"], ["y"])]],
    ["x * (0.5 * (erf + 1))", [node("Mul", ["s", "half"], ["m"]), node("Mul", ["x", "m"], ["y"])]],
    ["x * (1 + erf) / 2", [node("Mul", ["s", "x"], ["m"]), constant("two", 2), node("Div", ["m", "two"], ["y"])]],
  ])("finds GELU spelled %s", (_, tail) => {
    for (const divided of [true, false])
      for (const sum of [node("Add", ["e", "one"], ["s"]), node("Sum", ["one", "e"], ["s"])]) {
        const [site, ...others] = findSites(model({ nodes: [half, one, ...erfOf(divided), sum, ...tail] }));
        expect(others).toEqual([]);
        expect(site).toMatchObject({
          id: "y",
          kind: "gelu",
          form: "decomposed",
          inputs: ["x"],
          output: "y",
          axes: null,
        });
        expect(site.nodes).toEqual(["u", "e", "s", "m", "y"]);
      }
  });

  const gelu = (...more: Parts["nodes"]) => [
    ...[half, one, ...erfOf(), node("Add", ["e", "one"], ["s"])],
    ...[node("Mul", ["x", "s"], ["m"]), node("Mul", ["m", "half"], ["y"]), ...more],
  ];

  it("does not take a GELU whose inside is used or given out elsewhere: its Erf stands alone", () => {
    expect(kindsOf({ nodes: gelu(node("Neg", ["e"], ["other"])) })).toEqual(["erf"]);
    expect(kindsOf({ nodes: gelu(), outputs: [valueInfo("y"), valueInfo("s")] })).toEqual(["erf"]);
  });

  it("does not take one whose constants are another function's for it: it is an expression", () => {
    const wrong = gelu().map((each) => (each.output[0] === "half" ? constant("half", 0.51) : each));
    expect(kindsOf({ nodes: wrong })).toEqual(["0.51*(x*erfc(-(x/1.4142135)))"]);
    const overridable = { initializers: [tensor(0.5, [], "half")], inputs: [valueInfo("x"), valueInfo("half", [])] };
    expect(kindsOf({ nodes: gelu().slice(1), ...overridable })).toEqual(["x*erfc(-(x/1.4142135))"]);
  });

  it("accepts constants written with six digits, and constants behind Cast and Unsqueeze", () => {
    const short = gelu().map((each) => (each.output[0] === "root2" ? constant("root2", 141421 / 1e5) : each));
    expect(kindsOf({ nodes: short })).toEqual(["gelu"]);
    const chain = [
      constant("raw", 0.5),
      node("Unsqueeze", ["raw", "axes"], ["wide"]),
      node("Cast", ["wide"], ["half"], { to: 1n }),
    ];
    const axes = tensor(int64([0]), [1], "axes");
    expect(kindsOf({ nodes: [...chain, ...gelu().slice(1)], initializers: [axes] })).toEqual(["gelu"]);
  });

  it("does not take x and the argument of erf for the same when they are not", () => {
    const nodes = gelu().map((each) => (each.opType === "Erf" ? node("Erf", ["x2"], ["e"]) : each));
    expect(kindsOf({ nodes: [node("Neg", ["u"], ["x2"]), ...nodes] })).toEqual(["0.5*(x*erfc(x/1.4142135))"]);
    const other = [node("MatMul", ["u", "w"], ["x2"]), ...nodes];
    expect(kindsOf({ nodes: other, initializers: [tensor(new Float32Array(16), [4, 4], "w")] })).toEqual(["erf"]);
  });

  const norm = (gamma: readonly number[]) => ({
    nodes: [
      node("ReduceMean", ["x"], ["mean"], { axes: [1n] }),
      node("Sub", ["x", "mean"], ["d"]),
      node("Sub", ["x", "mean"], ["d2"]),
      constant("two", 2),
      node("Pow", ["d2", "two"], ["square"]),
      node("ReduceMean", ["square"], ["var"], { axes: [-1n] }),
      constant("eps", 0.25),
      node("Add", ["var", "eps"], ["v"]),
      node("Sqrt", ["v"], ["std"]),
      node("Div", ["d", "std"], ["n"]),
      node("Mul", ["g", "n"], ["scaled"]),
      node("Add", ["scaled", "b"], ["y"]),
    ],
    initializers: [tensor(new Float32Array(4).fill(2), gamma, "g"), tensor(new Float32Array(4), [4], "b")],
  });

  it("finds a LayerNorm with a duplicated Sub, axes spelled two ways and a Pow", () => {
    const [site, ...others] = findSites(model(norm([4])));
    expect(others).toEqual([]);
    expect(site).toMatchObject({
      kind: "layer-norm",
      form: "decomposed",
      inputs: ["x", "g", "b"],
      attributes: { epsilon: 0.25 },
      axes: [-1],
    });
    expect(site.nodes).toEqual(["mean", "d", "d2", "square", "var", "v", "std", "n", "scaled", "y"]);
  });

  it("leaves a scale outside that does not run along the row", () => {
    const [site] = findSites(
      model({ ...norm([4, 1]), inputs: [valueInfo("x", [4, 4])], outputs: [valueInfo("y", [4, 4])] }),
    );
    expect(site).toMatchObject({ id: "n", kind: "layer-norm", inputs: ["x"] });
  });

  it("finds softmax, log-softmax, SiLU, sigmoid, softplus, softsign, mish, rsqrt", () => {
    const keep = { axes: [-1n], keepdims: 1n };
    const exponential = [
      node("ReduceMax", ["x"], ["max"], keep),
      node("Sub", ["x", "max"], ["d"]),
      node("Exp", ["d"], ["e"]),
      node("ReduceSum", ["e", "axes"], ["sum"]),
    ];
    const initializers = [tensor(int64([-1]), [1], "axes"), tensor(1, [], "one")];
    const found = (...nodes: Parts["nodes"]) => kindsOf({ nodes, initializers });
    expect(found(...exponential, node("Div", ["e", "sum"], ["y"]))).toEqual(["softmax"]);
    expect(found(...exponential, node("Log", ["sum"], ["l"]), node("Sub", ["d", "l"], ["y"]))).toEqual(["log-softmax"]);
    expect(found(node("Sigmoid", ["x"], ["s"]), node("Mul", ["s", "x"], ["y"]))).toEqual(["silu"]);
    const exp = [node("Neg", ["x"], ["n"]), node("Exp", ["n"], ["e"]), node("Add", ["one", "e"], ["p"])];
    expect(found(...exp, node("Reciprocal", ["p"], ["y"]))).toEqual(["sigmoid"]);
    expect(found(...exp, node("Div", ["x", "p"], ["y"]))).toEqual(["silu"]);
    expect(found(node("Exp", ["x"], ["e"]), node("Add", ["e", "one"], ["p"]), node("Log", ["p"], ["y"]))).toEqual([
      "softplus",
    ]);
    expect(found(node("Abs", ["x"], ["a"]), node("Add", ["a", "one"], ["p"]), node("Div", ["x", "p"], ["y"]))).toEqual([
      "softsign",
    ]);
    expect(found(node("Softplus", ["x"], ["p"]), node("Tanh", ["p"], ["t"]), node("Mul", ["x", "t"], ["y"]))).toEqual([
      "mish",
    ]);
    expect(found(node("Sqrt", ["x"], ["r"]), node("Div", ["one", "r"], ["y"]))).toEqual(["rsqrt"]);
  });

  it("takes a softmax along neighbouring axes only, and no reduction that is none", () => {
    const softmax = (axes: readonly bigint[], attributes = {}) =>
      [
        node("ReduceMax", ["x", "axes"], ["max"], attributes),
        node("Sub", ["x", "max"], ["d"]),
        node("Exp", ["d"], ["e"]),
        node("ReduceSum", ["e", "axes"], ["sum"], attributes),
        node("Div", ["e", "sum"], ["y"]),
      ].concat([constant("axes", BigInt64Array.from(axes))]);
    const found = (nodes: Parts["nodes"]) => kindsOf({ nodes, opset: 18 });
    expect(found(softmax([0n]))).toEqual(["softmax"]);
    expect(found(softmax([0n, 1n]))).toEqual(["softmax"]);
    expect(kindsOf({ nodes: softmax([0n, 2n]), opset: 18, inputs: [valueInfo("x", [2, 3, 4])] })).toEqual(["exp"]);
    expect(found(softmax([], { noop_with_empty_axes: 1n }))).toEqual(["exp"]);
  });

  it("gives up on a graph made to be searched without end, in a bounded time", () => {
    const nodes = [node("Sigmoid", ["x"], ["v0"])];
    for (let i = 0; i < 3000; i++) nodes.push(node("Mul", [`v${i}`, `v${Math.max(0, i - 1)}`], [`v${i + 1}`]));
    nodes.push(node("Neg", ["v3000"], ["y"]));
    expect(kindsOf({ nodes })).toEqual(["sigmoid"]);
  });
});

describeShared("sites of real models", () => {
  it.each([
    ["kwt1/kwt1_mfcc.onnx", { "gelu-tanh operator": 12, "softmax operator": 12, "layer-norm operator": 24 }],
    [
      "kwt1/kwt1_mfcc_decomposed.onnx",
      { "gelu-tanh decomposed": 12, "softmax operator": 12, "layer-norm decomposed": 24 },
    ],
    [
      "sst2_bert_tiny/sst2_bert_tiny.onnx",
      { "gelu decomposed": 2, "softmax operator": 2, "layer-norm operator": 5, "tanh operator": 1 },
    ],
    ["stories260k/stories260k.onnx", { "silu decomposed": 5, "softmax operator": 5, "rms-norm decomposed": 11 }],
    [
      "gpt_nano_sort/gpt_nano_sort.onnx",
      { "gelu-tanh decomposed": 3, "softmax operator": 3, "layer-norm operator": 7 },
    ],
    ["magika/model.onnx", { "gelu-tanh decomposed": 2, "layer-norm decomposed": 2, "softmax decomposed": 1 }],
    ["vit_mnist/vit_mnist.onnx", { "softmax operator": 6, "layer-norm operator": 13 }],
    [
      "rxnmapper_albert/rxnmapper_albert_op17.onnx",
      { "gelu decomposed": 13, "softmax operator": 12, "layer-norm operator": 26 },
    ],
  ])("finds in %s exactly %o", (name, expected) => {
    const sites = findSites(readModel(readFileSync(sharedPath(`models/${name}`))));
    expect(tally(sites)).toEqual(expected);
    expect(new Set(sites.map((site) => site.id)).size).toBe(sites.length);
    const isChannels = ({ axes }: Site) => axes?.join() === "-2" && name.startsWith("magika");
    for (const site of sites) if (site.axes !== null && !isChannels(site)) expect(site.axes).toEqual([-1]);
  });

  it("finds the same layer in an ONNX node test and in its expanded form", () => {
    const folder = sharedPath("vectors/onnx_node_tests");
    const families = /^test_(softmax|logsoftmax|gelu|mish|softplus|softsign|hardswish|swish)_.*expanded/;
    const names = readdirSync(folder).filter((name) => families.test(name));
    const summary = (name: string) =>
      findSites(readModel(readFileSync(`${folder}/${name}/model.onnx`))).map(({ kind, axes, inputs, output }) =>
        JSON.stringify({ kind, axes, inputs, output }),
      );
    const differing = names.filter((name) => {
      const expanded = summary(name);
      return expanded.length !== 1 || expanded[0] !== summary(name.replace(/_expanded.*/, ""))[0];
    });
    expect(names.length).toBeGreaterThan(30);
    expect(differing).toEqual([]);
  });
});
