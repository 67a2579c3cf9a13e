// Replaces sites by calls of model-local functions of domain "lutra", or by the functions' nodes themselves (flat). Makes a new Model
// that shares every message it does not touch: all other nodes, initializers and unknown fields stay as they are, in their order.

import { create, equals } from "@bufbuild/protobuf";
import {
  type FunctionProto,
  FunctionProtoSchema,
  type NodeProto,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
} from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { changeModel, type Path, samePath } from "./bodies.ts";
import { node as makeNode } from "./build.ts";
import { changed } from "./changed.ts";
import { subgraphs, valuesRead } from "./check.ts";
import { unfuse } from "./fused.ts";
import { freshNames } from "./names.ts";
import { expandRecurrent } from "./recurrent/model.ts";
import type { FunctionDefinition, Model, Replacement, Site } from "./types.ts";

/** Domain of the functions. A runtime that registers operators of this domain uses those instead. */
const FUNCTION_DOMAIN = "lutra";
const FUNCTION_DOMAIN_VERSION = 1n;
/** Model-local functions came with IR version 8. */
const FUNCTION_IR_VERSION = 8n;

export interface RewriteOptions {
  /** Write the functions' nodes in place, with fresh names, for tools that refuse functions. */
  readonly flat?: boolean;
}

/**
 * The model with each site computed by its function, in bodies and functions too; a recurrent operator with a site becomes Scans.
 * The call stands where the site's last node stood and is named as the site.
 * Constants that only the replaced nodes used stay; declared types of values that are gone go.
 * @throws LutraError "mismatch" if a site's nodes are not in the model; "bad-argument" if two sites share a node, or if the model already
 * has another function of the name
 * @throws TypeError if two different definitions have one name
 */
export function rewrite(model: Model, replacements: readonly Replacement[], options: RewriteOptions = {}): Model {
  const flat = options.flat ?? false;
  const replaced = new Set(replacements.flatMap(({ site }) => site.nodes));
  const plain = unfuse(model, (name) => replaced.has(name));
  const expanded = expandRecurrent(plain, replacements.map(scopeOf));
  const fresh = freshNames(expanded);
  const found = new Set<Replacement>();
  const made = changeModel(expanded, (nodes, path) => {
    const here = replacements.filter((one) => samePath(scopeOf(one), path));
    if (here.length === 0) return nodes;
    for (const one of here) found.add(one);
    const removed = nodesOf(nodes, here);
    const roots = new Map(here.map((one) => [one.site.output, one]));
    const readHere = new Set([...nodes.flatMap(valuesRead), ...givenOut(expanded)]);
    const result = nodes.flatMap((old) => {
      const replacement = removed.has(old) ? roots.get(old.output[0]) : undefined;
      if (replacement === undefined) return removed.has(old) ? [] : [old];
      const rest = withoutFirst(old, readHere, fresh);
      return [...rest, ...(flat ? inline(replacement, fresh) : [call(replacement)])];
    });
    return path.length === 0 ? withoutIdle(result, removed, givenOut(expanded)) : result;
  });
  const lost = replacements.find((one) => !found.has(one));
  if (lost !== undefined) throw noNode(lost.site, lost.site.output);
  return flat || replacements.length === 0 ? made : withFunctions(model, made, replacements);
}

/** The operator once more where its further outputs are used (LayerNormalization's mean), without the first. */
function withoutFirst(
  old: NodeProto,
  read: ReadonlySet<string>,
  fresh: (wanted: string) => string,
): readonly NodeProto[] {
  const [first, ...others] = old.output;
  if (!others.some((name) => read.has(name))) return [];
  return [changed(old, { output: [fresh(`${first}/${FUNCTION_DOMAIN}/unused`), ...others] })];
}

/** Without the DequantizeLinear that only removed nodes read: several sites may have shared one. */
function withoutIdle(
  nodes: readonly NodeProto[],
  removed: ReadonlySet<NodeProto>,
  outputs: readonly string[],
): readonly NodeProto[] {
  const wereRead = new Set([...removed].flatMap(valuesRead));
  const mayIdle = (node: NodeProto): boolean => node.opType === "DequantizeLinear" && wereRead.has(node.output[0]);
  if (!nodes.some(mayIdle)) return nodes;
  const read = new Set([...nodes.flatMap(valuesRead), ...outputs]);
  return nodes.filter((node) => !mayIdle(node) || read.has(node.output[0]));
}

/** Outputs of the main graph and of functions: whatever they name may be asked for. */
function givenOut({ graph, proto }: Model): readonly string[] {
  return [...graph.output.map(({ name }) => name), ...proto.functions.flatMap(({ output }) => output)];
}

function scopeOf({ site }: Replacement): Path {
  return site.scope ?? [];
}

function noNode({ id }: Site, name: string): LutraError {
  return new LutraError("mismatch", `the model has no node that computes "${name}"`, {
    where: `site ${id}`,
    note: "Find the sites in the model that is rewritten.",
  });
}

/** The nodes of one graph that sites replace. */
function nodesOf(nodes: readonly NodeProto[], replacements: readonly Replacement[]): ReadonlySet<NodeProto> {
  const byOutput = new Map(nodes.map((node) => [node.output[0], node]));
  const removed = new Set<NodeProto>();
  for (const { site } of replacements) {
    for (const name of site.nodes) {
      const node = byOutput.get(name);
      if (node === undefined) throw noNode(site, name);
      if (removed.has(node))
        throw new LutraError("bad-argument", `the node that computes "${name}" belongs to two sites`, {
          where: `site ${site.id}`,
        });
      removed.add(node);
    }
  }
  return removed;
}

/** Adds the functions, and their domain wherever one is called. */
function withFunctions(model: Model, made: Model, replacements: readonly Replacement[]): Model {
  const { proto } = made;
  const existing = proto.functions.map((old, i) =>
    old === model.proto.functions[i] ? old : changed(old, { opsetImport: withDomain(old.opsetImport) }),
  );
  const newProto = changed(proto, {
    irVersion: proto.irVersion < FUNCTION_IR_VERSION ? FUNCTION_IR_VERSION : proto.irVersion,
    opsetImport: withDomain(proto.opsetImport),
    functions: [...existing, ...newFunctions(model, replacements)],
  });
  return { ...made, proto: newProto };
}

function call({ site, function: definition }: Replacement): NodeProto {
  return makeNode(definition.name, site.inputs, [site.output], {}, { name: site.id, domain: FUNCTION_DOMAIN });
}

/** The function's nodes with its inputs and output replaced by the site's and every other name made fresh. */
function inline({ site, function: definition }: Replacement, fresh: (wanted: string) => string): NodeProto[] {
  const names = new Map([
    ["", ""],
    ...definition.inputs.map((name, i): [string, string] => [name, site.inputs[i] ?? ""]),
  ]);
  names.set(definition.outputs[0], site.output);
  const rename = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const made = fresh(`${site.id}/${FUNCTION_DOMAIN}/${name}`);
    names.set(name, made);
    return made;
  };
  return definition.nodes.map((node) => {
    if (subgraphs(node).length > 0)
      throw new TypeError(`function ${definition.name} has a subgraph; it cannot be inlined`);
    const [input, output] = [node.input.map(rename), node.output.map(rename)];
    return changed(node, {
      input,
      output,
      name: fresh(`${site.id}/${FUNCTION_DOMAIN}/${node.name || node.output[0]}`),
    });
  });
}

/** One FunctionProto per name that the model does not have yet. */
function newFunctions(model: Model, replacements: readonly Replacement[]): FunctionProto[] {
  const made = new Map<string, FunctionProto>();
  for (const { function: definition } of replacements) {
    const proto = functionProto(model, definition);
    const twin = made.get(definition.name);
    if (twin !== undefined && !equals(FunctionProtoSchema, twin, proto))
      throw new TypeError(`two different functions are named ${definition.name}`);
    made.set(definition.name, twin ?? proto);
  }
  return [...made.values()].filter((proto) => {
    const existing = model.proto.functions.find((old) => old.domain === FUNCTION_DOMAIN && old.name === proto.name);
    if (existing !== undefined && !equals(FunctionProtoSchema, existing, proto))
      throw new LutraError("bad-argument", `the model already has another function ${FUNCTION_DOMAIN}.${proto.name}`, {
        note: "Compile the original model, not one that was compiled before.",
      });
    return existing === undefined;
  });
}

function functionProto(model: Model, definition: FunctionDefinition): FunctionProto {
  return create(FunctionProtoSchema, {
    name: definition.name,
    domain: FUNCTION_DOMAIN,
    input: [...definition.inputs],
    output: [...definition.outputs],
    node: [...definition.nodes],
    opsetImport: model.proto.opsetImport.filter((entry) => entry.domain !== FUNCTION_DOMAIN),
  });
}

function withDomain(imports: readonly OperatorSetIdProto[]): OperatorSetIdProto[] {
  if (imports.some((entry) => entry.domain === FUNCTION_DOMAIN)) return [...imports];
  const entry = create(OperatorSetIdProtoSchema, { domain: FUNCTION_DOMAIN, version: FUNCTION_DOMAIN_VERSION });
  return [...imports, entry];
}
