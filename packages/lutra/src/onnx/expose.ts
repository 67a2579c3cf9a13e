// Makes values inside a graph visible as outputs, so that a session returns what a layer is fed.

import { create } from "@bufbuild/protobuf";
import { ValueInfoProtoSchema } from "onnx-buf";
import { changed } from "./changed.ts";
import { unfuse } from "./fused.ts";
import type { Model } from "./types.ts";

/** The model with the named values as further outputs. They are declared by name only: a runtime infers their types. */
export function exposeValues(model: Model, names: readonly string[]): Model {
  const wanted = new Set(names);
  const plain = unfuse(model, (name) => wanted.has(name));
  const known = new Set(model.graph.output.map(({ name }) => name));
  const added = names.filter((name) => !known.has(name)).map((name) => create(ValueInfoProtoSchema, { name }));
  const graph = changed(plain.graph, { output: [...plain.graph.output, ...added] });
  return { ...plain, graph, proto: changed(plain.proto, { graph }) };
}
