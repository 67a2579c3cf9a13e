// Recurrent operators of a whole model. Which nodes are made, and how they are named, depends on the model and the operator alone: a site
// found in an expansion is found again when rewriting makes that expansion.

import type { NodeProto } from "onnx-buf";
import { bodyStep, changeModel, labelOf, type Path, startsWith } from "../bodies.ts";
import { freshPrefix, usedNames } from "../names.ts";
import type { Model } from "../types.ts";
import { expand } from "./expand.ts";
import { readRecurrent } from "./operator.ts";

/** The nodes that a recurrent operator of the model becomes; null for any other node, and for one that cannot be expanded. */
export type Expander = (node: NodeProto) => readonly NodeProto[] | null;

export function expanderOf(model: Model): Expander {
  let used: ReadonlySet<string> | null = null;
  return (node) => {
    const operator = readRecurrent(node);
    if (operator === null) return null;
    used ??= usedNames(model);
    const prefix = freshPrefix(used, `${labelOf(node)}/${operator.type.toLowerCase()}`);
    return expand(operator, prefix, model.opset);
  };
}

/**
 * The model with the LSTM, GRU and RNN operators that the paths lead into as Scans over standard operators, in bodies and functions too.
 * @param paths of the bodies that must be there afterwards: the scopes of sites found in the model
 */
export function expandRecurrent(model: Model, paths: readonly Path[]): Model {
  const expander = expanderOf(model);
  const leadsInto = (steps: Path): boolean => paths.some((path) => startsWith(path, steps));
  return changeModel(model, (nodes, path) => {
    if (!leadsInto(path)) return nodes;
    const expansions = nodes.map((node) => {
      const expansion = expander(node);
      const scans = expansion?.filter(({ opType }) => opType === "Scan") ?? [];
      return scans.some((scan) => leadsInto([...path, bodyStep(scan, "body")])) ? expansion : null;
    });
    if (expansions.every((expansion) => expansion === null)) return nodes;
    return nodes.flatMap((node, i) => expansions[i] ?? [node]);
  });
}
