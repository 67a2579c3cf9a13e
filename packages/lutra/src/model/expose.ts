// Makes values inside a graph visible as outputs, so that a session returns what a layer is fed. Shares every message with the model.

import type { Model } from "../onnx/index.ts";

type ValueInfo = Model["graph"]["output"][number];

/** The model with the named values as further outputs. They are declared by name only: a runtime infers their types. */
export function exposeValues(model: Model, names: readonly string[]): Model {
  const known = new Set(model.graph.output.map(({ name }) => name));
  const added = names
    .filter((name) => !known.has(name))
    .map((name): ValueInfo => {
      return { $typeName: "onnx.ValueInfoProto", name, docString: "", metadataProps: [] };
    });
  const graph = withMembers(model.graph, { output: [...model.graph.output, ...added] });
  return { ...model, graph, proto: withMembers(model.proto, { graph }) };
}

/** A shallow copy of a message, with its prototype: protobuf keeps the defaults of absent fields there. */
function withMembers<T extends object>(message: T, members: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, members);
}
