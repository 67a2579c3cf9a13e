// A model as a Network: every node by its rule, layers that were found taken whole. Nothing is computed twice: what only depends on constants is
// folded, what only depends on shapes becomes sizes.

import { LutraError } from "../../base/index.ts";
import { findSites, type Model, type NodeProto, type Site, viewGraph } from "../../onnx/index.ts";
import { fromName, fromNumber } from "../../program/index.ts";
import { ARITHMETIC, BOOL, type Handler, INTEGER_TYPES, UNKNOWN_TYPE } from "./arithmetic-nodes.ts";
import type { Network, Shape } from "./network.ts";
import { PARTS } from "./part-nodes.ts";
import { SHAPES } from "./shape-nodes.ts";
import { Tracer } from "./tracer.ts";
import { shapeOf, type Traced } from "./values.ts";

/**
 * What the model computes. Axes that its inputs leave open get the names they have there, or "INPUT.AXIS".
 * @throws LutraError "unsupported" naming the node that has no rule
 */
export function trace(model: Model): Network {
  const graph = viewGraph(model);
  const type = (name: string): number => graph.facts(name).element ?? UNKNOWN_TYPE;
  const tracer = new Tracer(
    (name) => INTEGER_TYPES.has(type(name)),
    (name) => type(name) === BOOL,
  );
  const sites = new Map(
    findSites(model)
      .filter(({ scope }) => scope === undefined)
      .map((site) => [site.output, site]),
  );
  const inside = new Set([...sites.values()].flatMap(({ nodes, output }) => nodes.filter((name) => name !== output)));
  const inputs = model.graph.input.filter(({ name }) => !graph.constants.has(name)).map(({ name }) => name);
  for (const { name, type } of model.graph.input) {
    if (inputs.includes(name)) tracer.input(name, inputShape(name, type));
  }
  const value = (name: string): Traced => {
    const found = tracer.find(name) ?? stored(graph.constants.tensor(name));
    if (found === null) throw tracer.fault(`the value ${name} is not known`);
    tracer.set(name, found);
    return found;
  };
  for (const node of model.graph.node) {
    const [first = ""] = node.output;
    const site = sites.get(first);
    if (inside.has(first) || graph.constants.has(first)) continue;
    tracer.where = node.name === "" ? `the ${node.opType} that gives ${first}` : node.name;
    const results = site === undefined ? byRule(tracer, node, value) : [layer(tracer, site, value)];
    for (const [i, name] of node.output.entries())
      if (name !== "" && results[i] !== undefined) tracer.set(name, results[i]);
  }
  const outputs = model.graph.output.map(({ name }) => [name, tracer.tensor(value(name))] as const);
  return tracer.network(inputs, Object.fromEntries(outputs));
}

const RULES: Readonly<Record<string, Handler>> = { ...ARITHMETIC, ...SHAPES, ...PARTS };

type Values = (name: string) => Traced;

function byRule(tracer: Tracer, node: NodeProto, value: Values): readonly Traced[] {
  const rule = node.domain === "" || node.domain === "ai.onnx" ? RULES[node.opType] : undefined;
  if (rule === undefined) throw tracer.fault(`${node.opType} has no rule`);
  const inputs = node.input.map((name) => (name === "" ? undefined : value(name)));
  return rule(tracer, inputs as readonly Traced[], node);
}

function layer(tracer: Tracer, { kind, inputs, attributes, axes }: Site, value: Values): Traced {
  const [x, gamma, beta] = inputs.map(value);
  if (x === undefined) throw tracer.fault("the layer has no input");
  const shape = shapeOf(x);
  const input = tracer.tensor(x);
  if (axes === null) return tracer.append({ op: "function", fn: kind, input }, shape);
  if (axes.length !== 1 || axes[0] !== -1) throw tracer.fault("a layer along other axes than the last");
  if (kind === "softmax") return tracer.append({ op: "softmax", input }, shape);
  if (kind !== "layer-norm" && kind !== "rms-norm") throw tracer.fault(`${kind} has no integer form`);
  const name = (given: Traced | undefined): string | null => (given === undefined ? null : tracer.tensor(given));
  const parts = { kind, epsilon: attributes.epsilon ?? 0, gamma: name(gamma), beta: name(beta) } as const;
  return tracer.append({ op: "norm", input, ...parts }, shape);
}

function stored(
  tensor: { readonly shape: readonly number[]; readonly data: ArrayLike<number | bigint> } | null,
): Traced | null {
  if (tensor === null) return null;
  return {
    kind: "constant",
    constant: { shape: tensor.shape, data: Float64Array.from(tensor.data as ArrayLike<number>, Number) },
  };
}

function inputShape(name: string, type: Model["graph"]["input"][0]["type"]): Shape {
  const tensor = type?.value.case === "tensorType" ? type.value.value : undefined;
  if (tensor?.shape === undefined) {
    throw new LutraError("unsupported", `the input ${name} has no shape`, {
      note: "a program's inputs have a known number of axes",
    });
  }
  return tensor.shape.dim.map(({ value }, axis) => {
    if (value.case === "dimValue") return fromNumber(Number(value.value));
    return fromName(value.case === "dimParam" && value.value !== "" ? value.value : `${name}.${axis}`);
  });
}
