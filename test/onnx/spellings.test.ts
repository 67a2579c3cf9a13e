// The same function however it is spelled: operand order, inverse factors, powers, folded constants, comparisons. And the parts of fused
// operators that are no layer stay in the graph.

import type { NodeProto } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  concatenate,
  constant,
  findSites,
  node,
  rewrite,
  tensor,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { model, valueInfo } from "./models.ts";

const c = (name: string, value: number): NodeProto => constant(name, value);
const kinds = (...nodes: readonly NodeProto[]): string[] => findSites(model({ nodes })).map(({ kind }) => kind);
const silu = (x: string, y: string): readonly NodeProto[] => [
  node("Sigmoid", [x], [`${y}_gate`]),
  node("Mul", [x, `${y}_gate`], [y]),
];
const erf = [c("root", Math.SQRT1_2), node("Mul", ["root", "x"], ["u"]), node("Erf", ["u"], ["e"])];

describe("a bound or a small addend that keeps values finite", () => {
  it.each<readonly [string, string, readonly NodeProto[]]>([
    ["exp", "e", [c("top", 88), node("Clip", ["x", "", "top"], ["u"]), node("Exp", ["u"], ["e"])]],
    ["silu", "s", [...silu("x", "s"), c("top", 50), node("Clip", ["s", "", "top"], ["y"])]],
    ["sqrt", "r", [node("Sqrt", ["x"], ["r"]), c("tiny", 1e-7), node("Add", ["r", "tiny"], ["y"])]],
    ["sqrt", "r", [node("Sqrt", ["x"], ["r"]), c("tiny", 1e-12), node("Max", ["r", "tiny"], ["y"])]],
    ["exp", "e", [node("Exp", ["x"], ["e"]), c("tiny", 1e-7), node("Add", ["e", "tiny"], ["y"])]],
    ["sigmoid", "g", [node("Sigmoid", ["x"], ["g"]), c("tiny", 1e-9), node("Add", ["tiny", "g"], ["y"])]],
  ])("stays: %s is replaced alone (%#)", (kind, output, nodes) => {
    const sites = findSites(model({ nodes, outputs: [valueInfo(nodes[nodes.length - 1].output[0])] }));
    expect(sites).toMatchObject([{ kind, output }]);
  });
});

describe("an elementwise function is known by its values, not its spelling", () => {
  it.each<readonly [string, readonly NodeProto[]]>([
    [
      "gelu",
      [
        c("h", 0.5),
        ...erf,
        node("Mul", ["e", "h"], ["m"]),
        node("Add", ["m", "h"], ["p"]),
        node("Mul", ["p", "x"], ["y"]),
      ],
    ],
    [
      "gelu",
      [
        c("h", 0.5),
        ...erf,
        node("Mul", ["x", "h"], ["m"]),
        node("Mul", ["m", "e"], ["p"]),
        node("Add", ["p", "m"], ["y"]),
      ],
    ],
    [
      "gelu-tanh",
      [
        ...[c("two", 2), c("k", 0.044715), c("s", 1.5957691), c("one", 1)],
        ...[node("Pow", ["x", "two"], ["q"]), node("Mul", ["q", "k"], ["r"]), node("Add", ["one", "r"], ["t"])],
        ...[node("Mul", ["t", "s"], ["v"]), node("Mul", ["x", "v"], ["w"]), node("Sigmoid", ["w"], ["g"])],
        node("Mul", ["g", "x"], ["y"]),
      ],
    ],
    [
      "silu",
      [
        c("one", 1),
        node("Neg", ["x"], ["n"]),
        node("Exp", ["n"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        node("Div", ["x", "p"], ["y"]),
      ],
    ],
    [
      "tanh",
      [
        c("two", 2),
        c("one", 1),
        node("Mul", ["x", "two"], ["d"]),
        node("Sigmoid", ["d"], ["s"]),
        node("Mul", ["two", "s"], ["m"]),
        node("Sub", ["m", "one"], ["y"]),
      ],
    ],
    [
      "mish",
      [
        c("one", 1),
        node("Exp", ["x"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        node("Log", ["p"], ["l"]),
        node("Tanh", ["l"], ["t"]),
        node("Mul", ["t", "x"], ["y"]),
      ],
    ],
    [
      "hard-swish",
      [
        c("three", 3),
        c("zero", 0),
        c("six", 6),
        node("Add", ["x", "three"], ["a"]),
        node("Clip", ["a", "zero", "six"], ["b"]),
        node("Mul", ["x", "b"], ["m"]),
        node("Div", ["m", "six"], ["y"]),
      ],
    ],
    [
      "elu",
      [
        c("zero", 0),
        c("one", 1),
        node("Exp", ["x"], ["e"]),
        node("Sub", ["e", "one"], ["m"]),
        node("Greater", ["x", "zero"], ["t"]),
        node("Where", ["t", "x", "m"], ["y"]),
      ],
    ],
    ["reciprocal", [c("one", 1), node("Div", ["one", "x"], ["y"])]],
    ["rsqrt", [node("Sqrt", ["x"], ["r"]), node("Reciprocal", ["r"], ["y"])]],
  ])("%s, spelling %#", (kind, nodes) => expect(kinds(...nodes)).toEqual([kind]));

  it("offers what has no name as an expression, once and whole", () => {
    const gate = [node("Tanh", ["x"], ["t"]), node("Sigmoid", ["x"], ["s"]), node("Mul", ["t", "s"], ["y"])];
    expect(kinds(...gate)).toEqual(["tanh(x)*sigmoid(x)"]);
    const bell = [node("Mul", ["x", "x"], ["q"]), node("Neg", ["q"], ["n"]), node("Exp", ["n"], ["y"])];
    expect(kinds(...bell)).toEqual(["exp(-x^2)"]);
  });

  it("leaves a scale or a sum around one function outside, and sums and products alone", () => {
    expect(kinds(c("two", 2), node("Mul", ["x", "two"], ["d"]), node("Tanh", ["d"], ["y"]))).toEqual(["tanh"]);
    expect(kinds(node("Mul", ["x", "x"], ["q"]), node("Add", ["q", "x"], ["y"]))).toEqual([]);
    expect(kinds(node("Relu", ["x"], ["y"]))).toEqual([]);
  });

  it("does not offer a function too steep or undefined where data may be", () => {
    const pole = [c("one", 1), node("Sub", ["x", "one"], ["d"]), node("Div", ["x", "d"], ["y"])];
    expect(kinds(...pole)).toEqual([]);
    const floor = [c("low", 1e-6), node("Max", ["x", "low"], ["m"]), node("Log", ["m"], ["y"])];
    expect(kinds(...floor)).toEqual(["log"]);
  });
});

describe("a fused operator's layer is a site, the rest stays", () => {
  const microsoft = { domain: "com.microsoft" };
  const weight = (name: string) => tensor(Float32Array.of(0.5, -1, 2, 0.25), [4], name);
  const x = Float32Array.of(1, -2, 0.5, 3, -0.25, 0.75, 2, -1);

  const run = async (bytes: Uint8Array) => {
    const session = await ort.InferenceSession.create(bytes, {
      logSeverityLevel: 4,
      graphOptimizationLevel: "disabled",
    });
    const { y } = await session.run({ x: new ort.Tensor("float32", x, [2, 4]) });
    await session.release();
    return [...(y.data as Float32Array)];
  };

  it.each<readonly [string, string, readonly string[], Readonly<Record<string, number>>]>([
    ["BiasGelu", "gelu", ["x", "b"], {}],
    ["FastGelu", "gelu-tanh", ["x", "b"], {}],
    ["SkipLayerNormalization", "layer-norm", ["x", "x", "g", "b", "b"], { epsilon: 0.5 }],
  ])("%s", async (opType, kind, inputs, attributes) => {
    const skips = opType.startsWith("Skip");
    const outputs = skips ? ["n", "", "", "sum"] : ["n"];
    const nodes = [
      node(opType, inputs, outputs, attributes, microsoft),
      node("Add", ["n", skips ? "sum" : "x"], ["y"]),
    ];
    const initializers = [weight("b"), weight("g")];
    const proto = { nodes, initializers, domains: ["com.microsoft"] };
    const before = model(proto);
    const [site, ...others] = findSites(before);
    expect(others).toEqual([]);
    expect(site).toMatchObject({ kind, output: "n" });
    // The site replaced by the operator it became: the model computes what it did.
    const [data, ...rest] = site.inputs;
    const layer: Record<string, NodeProto> = {
      gelu: node("Gelu", ["a"], ["r"], {}, microsoft),
      "gelu-tanh": node("FastGelu", ["a"], ["r"], {}, microsoft),
      "layer-norm": node("LayerNormalization", ["a", "p0", "p1"], ["r"], attributes),
    };
    expect(data).not.toBe("x");
    const parameters = rest.map((_, i) => `p${i}`);
    const definition = { name: "layer", inputs: ["a", ...parameters], outputs: ["r"], nodes: [layer[kind]] };
    const after = rewrite(before, [{ site, function: definition }]);
    const [expected, given] = [await run(concatenate(writeModel(before))), await run(concatenate(writeModel(after)))];
    for (const [i, value] of expected.entries()) expect(given[i]).toBeCloseTo(value, 5);
  });

  it("SkipSimplifiedLayerNormalization adds the residual and the bias outside, and still gives their sum", () => {
    const nodes = [node("SkipSimplifiedLayerNormalization", ["x", "x", "g", "b"], ["n", "", "", "sum"], {}, microsoft)];
    const outputs = [valueInfo("n"), valueInfo("sum")];
    const initializers = [weight("b"), weight("g")];
    const sites = findSites(model({ nodes, initializers, outputs, domains: ["com.microsoft"] }));
    expect(sites).toMatchObject([{ kind: "rms-norm", inputs: ["sum", "g"], output: "n", axes: [-1] }]);
  });

  it("InstanceNormalization needs no rank, and stays whole where it is not replaced", () => {
    const nodes = [node("InstanceNormalization", ["x", "g", "b"], ["y"])];
    const inputs = [valueInfo("x", [1, 4, 5])];
    const before = model({ nodes, initializers: [weight("g"), weight("b")], inputs });
    expect(findSites(before)).toMatchObject([{ kind: "layer-norm", axes: [-1], inputs: [expect.any(String)] }]);
    expect(rewrite(before, []).graph.node).toEqual(before.graph.node);
  });
});
