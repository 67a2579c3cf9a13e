// Sites of quantized graphs: which regions between DequantizeLinear and QuantizeLinear are functions from codes to codes, and that what
// replaces them answers every code in onnxruntime as the table does.

import type { NodeProto } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { drive, type Tensors } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import {
  allCodes,
  decode,
  encode,
  type IntegerFormat,
  integerFormat,
  valuesOf,
} from "../../packages/lutra/src/num/index.ts";
import {
  concatenate,
  constant,
  findSites,
  type Model,
  node,
  rewrite,
  type Site,
  tensor,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { type ModelParts, model, modelProto, valueInfo } from "./models.ts";
import { codesArray, codesInfo, dequantize, parameters, quantize } from "./quantize.ts";

const INT8 = integerFormat(true, 8, Math.fround(0.05), 3);
const UINT8 = integerFormat(false, 8, Math.fround(0.02), 10);
const INT16 = integerFormat(true, 16, Math.fround(0.0003), -7);
const MICROSOFT = { domain: "com.microsoft" };

type Nodes = ModelParts["nodes"];
interface Given extends Partial<ModelParts> {
  readonly input?: IntegerFormat;
  readonly output?: IntegerFormat;
}

/** A model from codes "q" to codes "r", with initializers a_scale, a_zero, b_scale, b_zero. */
function quantized(nodes: Nodes, { input = INT8, output = UINT8, ...more }: Given = {}): Model {
  return model({
    inputs: [codesInfo("q", input)],
    outputs: [codesInfo("r", output)],
    opset: 21,
    irVersion: 10,
    ...more,
    nodes,
    initializers: [...parameters("a", input), ...parameters("b", output), ...(more.initializers ?? [])],
  });
}

/** DequantizeLinear and QuantizeLinear around nodes from "x" to "y". */
const around = (...nodes: readonly NodeProto[]): Nodes => [
  dequantize("q", "x", "a"),
  ...nodes,
  quantize("y", "r", "b"),
];

/** Kind, form and types of each site, "float" for one of numbers. */
function shown(found: Model): string[] {
  const type = ({ signed, bits }: IntegerFormat): string => `${signed ? "int" : "uint"}${bits}`;
  return findSites(found).map(({ kind, form, formats }) => {
    return `${kind} ${form} ${formats === undefined ? "float" : `${type(formats.input)} ${type(formats.output)}`}`;
  });
}

/** The model with its one site as a table that lists all answers, what it answers to every code, and the table. */
async function replaced(
  built: Model,
  flat: boolean,
  more: Tensors = {},
): Promise<{ table: Table; answers: number[]; made: Model }> {
  const [site] = findSites(built) as readonly [Site];
  const { input, output } = site.formats ?? { input: INT8, output: UINT8 };
  const spec = { fn: site.kind, domain: valuesOf(input), input, output };
  const rest = { norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  const { table } = await drive(solve({ spec, size: { segments: 2 ** input.bits }, ...rest }, "direct", { seed: 1 }));
  const definition = emit(fill(elementwise(spec), { f: table }), { axes: [-1], opset: built.opset });
  const made = rewrite(built, [{ site, function: definition }], { flat });
  const session = await openSession(ort, concatenate(writeModel(made)), { threads: 1 });
  const data = codesArray(input, [...allCodes(input)]);
  const { r } = await session.run({ q: { shape: [data.length], data }, ...more }, ["r"]);
  await session.release();
  return { table, answers: Array.from(r?.data ?? [], Number), made };
}

const operators = ({ graph }: Model): string => graph.node.map(({ opType }) => opType).join(" ");

const GELU: Nodes = [
  constant("root", Math.fround(Math.SQRT2)),
  constant("one", 1),
  constant("half", 0.5),
  node("Div", ["x", "root"], ["d"]),
  node("Erf", ["d"], ["e"]),
  node("Add", ["e", "one"], ["s"]),
  node("Mul", ["x", "s"], ["m"]),
  node("Mul", ["m", "half"], ["y"]),
];

/** The same with a pair behind every operator, as a quantizer that knows nothing of GELU writes it, and the constants in codes. */
const GELU_IN_PAIRS: Nodes = GELU.flatMap((one): NodeProto[] => {
  const [output] = one.output as [string];
  if (one.opType === "Constant") return [];
  const input = one.input.map((name) => (name === "x" ? `x_of_${output}` : name));
  const apart = one.input.includes("x") ? [dequantize("q", `x_of_${output}`, "a")] : [];
  const inner = [quantize(`${output}_float`, `${output}_codes`, "c"), dequantize(`${output}_codes`, output, "c")];
  if (output === "y") return [...apart, node("Mul", input, ["y"])];
  return [...apart, node(one.opType, input, [`${output}_float`]), ...inner];
});
const CONSTANTS_IN_CODES = [
  ["root", Math.SQRT2],
  ["one", 1],
  ["half", 0.5],
].flatMap(([name, value]) => {
  const format = integerFormat(false, 8, Math.fround(Number(value) / 255));
  return [...parameters(String(name), format), tensor(Uint8Array.of(255), [], `${name}_codes`)];
});

describe("a function between DequantizeLinear and QuantizeLinear", () => {
  it("is one site from codes to codes, with the graph's scales and zero points", () => {
    expect(findSites(quantized(around(node("Sigmoid", ["x"], ["y"]))))).toEqual([
      {
        id: "r",
        kind: "sigmoid",
        form: "operator",
        nodes: ["x", "y", "r"],
        inputs: ["q"],
        output: "r",
        attributes: {},
        formats: { input: INT8, output: UINT8 },
        axes: null,
      },
    ]);
  });

  it.each([
    ["one operator", around(node("Gelu", ["x"], ["y"])), {}, ["gelu operator int8 uint8"]],
    ["several, x used twice", around(...GELU), {}, ["gelu decomposed int8 uint8"]],
    [
      "a scale before and after",
      around(
        constant("c", 0.3),
        node("Mul", ["x", "c"], ["s"]),
        node("Tanh", ["s"], ["t"]),
        node("Add", ["t", "c"], ["y"]),
      ),
      {},
      ["tanh(0.3*x)+0.3 decomposed int8 uint8"],
    ],
    ["of 16 bits", around(node("Tanh", ["x"], ["y"])), { input: INT16, output: INT16 }, ["tanh operator int16 int16"]],
    [
      "in onnxruntime's domain, which knows 16 bits in any opset",
      [dequantize("q", "x", "a", MICROSOFT), node("Tanh", ["x"], ["y"]), quantize("y", "r", "b", MICROSOFT)],
      { input: INT16, output: INT16, opset: 17, irVersion: 8, domains: ["com.microsoft"] },
      ["tanh operator int16 int16"],
    ],
    [
      "without zero points",
      [
        node("DequantizeLinear", ["q", "a_scale"], ["x"]),
        node("Tanh", ["x"], ["y"]),
        node("QuantizeLinear", ["y", "b_scale"], ["r"]),
      ],
      {},
      ["tanh operator int8 uint8"],
    ],
    [
      "with a type instead of a zero point",
      [
        dequantize("q", "x", "a"),
        node("Tanh", ["x"], ["y"]),
        node("QuantizeLinear", ["y", "b_scale"], ["r"], { output_dtype: 3n }),
      ],
      { output: INT8 },
      ["tanh operator int8 int8"],
    ],
  ] as const)("is found: %s", (_name, nodes, given, expected) => {
    expect(shown(quantized(nodes, given))).toEqual(expected);
  });

  it("is found behind other quantized operators, and twice where two follow each other", () => {
    const nodes = [
      dequantize("q", "x", "a"),
      node("Tanh", ["x"], ["t"]),
      quantize("t", "t_codes", "a"),
      dequantize("t_codes", "u", "a"),
      node("Sigmoid", ["u"], ["y"]),
      quantize("y", "r", "b"),
    ];
    expect(shown(quantized(nodes))).toEqual(["tanh operator int8 int8", "sigmoid operator int8 uint8"]);
  });

  it("is one function where a pair stands behind every operator, and the constants are codes too", async () => {
    const nodes = [
      ...["root", "one", "half"].map((name) => dequantize(`${name}_codes`, name, name)),
      ...GELU_IN_PAIRS,
      quantize("y", "r", "b"),
    ];
    const inner = parameters("c", integerFormat(true, 8, Math.fround(0.06)));
    const built = quantized(nodes, { initializers: [...inner, ...CONSTANTS_IN_CODES] });
    expect(shown(built)).toEqual(["gelu decomposed int8 uint8"]);
    const { table, answers, made } = await replaced(built, false);
    expect(answers).toEqual(Array.from(allCodes(INT8), (code) => evaluate(table, code)));
    expect(operators(made)).toMatch(/^gelu_[0-9a-f]{8}$/);
  });

  it("is found and replaced in the body of an If, whose codes and scales come from outside", async () => {
    const branch = (nodes: Nodes, name: string) => {
      const { graph } = modelProto({ nodes, inputs: [], outputs: [codesInfo(name, UINT8)] });
      if (graph === undefined) throw new TypeError("a model without a graph");
      return graph;
    };
    const branches = {
      then_branch: branch([dequantize("q", "x", "a"), node("Tanh", ["x"], ["y"]), quantize("y", "t", "b")], "t"),
      else_branch: branch([node("Cast", ["q"], ["e"], { to: 2n })], "e"),
    };
    const inputs = [codesInfo("q", INT8), valueInfo("flag", [], 9)];
    const built = quantized([node("If", ["flag"], ["r"], branches)], { inputs });
    expect(shown(built)).toEqual(["tanh operator int8 uint8"]);
    const { table, answers } = await replaced(built, false, { flag: { shape: [], data: Uint8Array.of(1) } });
    expect(answers).toEqual(Array.from(allCodes(INT8), (code) => evaluate(table, code)));
  });
});

describe("no site from codes to codes", () => {
  const perAxis = [
    tensor(Float32Array.of(0.1, 0.2), [2], "s2"),
    tensor(Int8Array.of(0, 0), [2], "z2"),
    tensor(Float32Array.of(0), [], "nothing"),
    tensor(Float32Array.of(Number.NaN), [], "nan"),
  ];
  const sigmoid = node("Sigmoid", ["x"], ["y"]);
  it.each([
    [
      "a scale per channel",
      [node("DequantizeLinear", ["q", "s2", "z2"], ["x"], { axis: 0n }), sigmoid, quantize("y", "r", "b")],
    ],
    ["a scale of 0", [node("DequantizeLinear", ["q", "nothing", "a_zero"], ["x"]), sigmoid, quantize("y", "r", "b")]],
    ["a scale of NaN", [dequantize("q", "x", "a"), sigmoid, node("QuantizeLinear", ["y", "nan", "b_zero"], ["r"])]],
    [
      "a zero point of another type",
      [node("DequantizeLinear", ["q", "a_scale", "b_zero"], ["x"]), sigmoid, quantize("y", "r", "b")],
    ],
    [
      "a scale that is computed",
      [
        node("Abs", ["given"], ["s"]),
        node("DequantizeLinear", ["q", "s", "a_zero"], ["x"]),
        sigmoid,
        quantize("y", "r", "b"),
      ],
    ],
    ["two QuantizeLinear", [...around(sigmoid), quantize("y", "r2", "a")]],
    ["another use of the numbers", [...around(sigmoid), node("Neg", ["y"], ["n"])]],
    [
      "blocks",
      [node("DequantizeLinear", ["q", "s2", "z2"], ["x"], { block_size: 16n }), sigmoid, quantize("y", "r", "b")],
    ],
  ] as const)("but one of numbers: %s", (_name, nodes) => {
    const inputs = [codesInfo("q", INT8), valueInfo("given", [])];
    expect(shown(quantized(nodes, { inputs, initializers: perAxis }))).toEqual(["sigmoid operator float"]);
  });

  it("where the function has no value at some code: log at 0, reciprocal", () => {
    const input = integerFormat(false, 8, Math.fround(0.1));
    expect(shown(quantized(around(node("Log", ["x"], ["y"])), { input }))).toEqual(["log operator float"]);
    expect(shown(quantized(around(node("Sqrt", ["x"], ["y"])), { input }))).toEqual(["sqrt operator uint8 uint8"]);
    expect(shown(quantized(around(node("Reciprocal", ["x"], ["y"]))))).toEqual(["reciprocal operator float"]);
  });

  it("across operators that compute with the codes themselves", () => {
    const nodes = [
      dequantize("q", "x", "a"),
      node("Tanh", ["x"], ["t"]),
      quantize("t", "t_codes", "a"),
      node("Max", ["t_codes", "a_zero"], ["m"]),
      dequantize("m", "u", "a"),
      node("Mul", ["u", "u"], ["w"]),
      node("Tanh", ["w"], ["y"]),
      quantize("y", "r", "b"),
    ];
    expect(shown(quantized(nodes))).toEqual(["tanh operator int8 int8", "tanh(x^2) decomposed int8 uint8"]);
    expect(findSites(quantized(nodes)).map(({ inputs }) => inputs)).toEqual([["q"], ["m"]]);
  });

  it("across a pair whose number something else reads too, next to codes", () => {
    const nodes = [
      ...around(
        ...GELU.slice(0, 4),
        quantize("d", "d_codes", "a"),
        dequantize("d_codes", "dd", "a"),
        node("Erf", ["dd"], ["e"]),
        ...GELU.slice(5),
      ),
      node("Either", ["q", "dd"], ["both"], {}, { domain: "my.own" }),
    ];
    const outputs = [codesInfo("r", UINT8), valueInfo("both")];
    expect(shown(quantized(nodes, { outputs, domains: ["my.own"] }))).toEqual(["erf operator float"]);
  });

  it("where a constant raises the rank", () => {
    const constants = [tensor(Float32Array.of(2), [1, 1, 1, 1], "wide"), tensor(BigInt64Array.of(-1n), [1], "flat")];
    const nodes = [
      node("Reshape", ["q", "flat"], ["p"]),
      dequantize("p", "x", "a"),
      node("Tanh", ["x"], ["t"]),
      node("Mul", ["t", "wide"], ["y"]),
      quantize("y", "r", "b"),
    ];
    expect(shown(quantized(nodes, { initializers: constants }))).toEqual(["tanh operator float"]);
  });

  it("for plain arithmetic, and rows stay layers of numbers", () => {
    expect(shown(quantized(around(node("Relu", ["x"], ["y"]))))).toEqual([]);
    expect(shown(quantized(around(node("Softmax", ["x"], ["y"], { axis: -1n }))))).toEqual(["softmax operator float"]);
  });
});

describe("the table in place of the nodes answers every code as evaluate() does", () => {
  it.each([
    ["sigmoid", "Sigmoid", INT8, UINT8],
    [
      "gelu, saturating",
      "Gelu",
      integerFormat(true, 8, Math.fround(0.08)),
      integerFormat(true, 8, Math.fround(0.01), -100),
    ],
    ["tanh from uint8 to int16", "Tanh", UINT8, INT16],
    ["gelu of 16 bits", "Gelu", INT16, INT16],
  ] as const)("%s", async (_name, opType, input, output) => {
    const built = quantized(around(node(opType, ["x"], ["y"])), { input, output });
    for (const flat of [false, true]) {
      const { table, answers } = await replaced(built, flat);
      expect(answers).toEqual(Array.from(allCodes(input), (code) => evaluate(table, code)));
      const exact = parseFn(table.spec.fn).evaluate;
      expect(answers).toEqual(Array.from(allCodes(input), (code) => encode(output, exact(decode(input, code)))));
    }
  });

  it("takes away DequantizeLinear with the last node that reads it", async () => {
    const nodes = [...around(node("Tanh", ["x"], ["y"])), node("Neg", ["x"], ["n"])];
    const outputs = [codesInfo("r", UINT8), valueInfo("n", ["N"])];
    const kept = await replaced(quantized(nodes, { outputs }), true);
    expect(operators(kept.made)).toContain("DequantizeLinear");
    expect(kept.answers).toEqual(Array.from(allCodes(INT8), (code) => evaluate(kept.table, code)));
    const gone = await replaced(quantized(nodes.slice(0, -1)), true);
    expect(operators(gone.made)).not.toContain("QuantizeLinear");
  });

  it("leaves none behind where two sites shared one", async () => {
    const nodes = [...around(node("Tanh", ["x"], ["y"])), node("Gelu", ["x"], ["w"]), quantize("w", "v", "b")];
    const built = quantized(nodes, { outputs: [codesInfo("r", UINT8), codesInfo("v", UINT8)] });
    const identity = { name: "same", inputs: ["x"], outputs: ["y"], nodes: [node("Identity", ["x"], ["y"])] };
    const both = findSites(built).map((site) => ({ site, function: identity }));
    expect(both.length).toBe(2);
    expect(operators(rewrite(built, both))).toBe("same same");
    expect(operators(rewrite(built, both.slice(0, 1)))).toContain("DequantizeLinear");
  });
});

describe("onnxruntime's own quantized operators", () => {
  const inputs = ["q", "a_scale", "a_zero", "b_scale", "b_zero"];
  const domains = { domains: ["com.microsoft"], opset: 17, irVersion: 8 };
  it("QLinearSigmoid is a site from codes to codes, and runs as its table", async () => {
    const built = quantized([node("QLinearSigmoid", inputs, ["r"], {}, MICROSOFT)], domains);
    expect(shown(built)).toEqual(["sigmoid operator int8 uint8"]);
    const { table, answers, made } = await replaced(built, false);
    expect(answers).toEqual(Array.from(allCodes(INT8), (code) => evaluate(table, code)));
    expect(operators(made)).toMatch(/^sigmoid_[0-9a-f]{8}$/);
  });

  it("QLinearSoftmax has a Softmax of numbers inside, of the opset that its attribute says", () => {
    const found = (opset: number, axis: number) => {
      const attributes = { opset: BigInt(opset), axis: BigInt(axis) };
      const nodes = [node("QLinearSoftmax", inputs, ["r"], attributes, MICROSOFT)];
      return shown(quantized(nodes, { ...domains, inputs: [codesInfo("q", INT8, [2, 3, 4])] }));
    };
    expect(found(13, 1)).toEqual(["softmax operator float"]);
    expect(found(12, -1)).toEqual(["softmax operator float"]);
    expect(found(12, 1)).toEqual([]);
  });
});
