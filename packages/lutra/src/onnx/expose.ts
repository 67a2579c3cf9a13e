// Makes values inside a graph visible as outputs, so that a session returns what a layer is fed.

import { create } from "@bufbuild/protobuf";
import { ValueInfoProtoSchema } from "onnx-buf";
import { changed } from "./changed.ts";
import type { Model } from "./types.ts";

/** The model with the named values as further outputs. They are declared by name only: a runtime infers their types. */
export function exposeValues(model: Model, names: readonly string[]): Model {
  const known = new Set(model.graph.output.map(({ name }) => name));
  const added = names.filter((name) => !known.has(name)).map((name) => create(ValueInfoProtoSchema, { name }));
  const graph = changed(model.graph, { output: [...model.graph.output, ...added] });
  return { ...model, graph, proto: changed(model.proto, { graph }) };
}
