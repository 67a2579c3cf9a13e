// Moves tensors from files beside the model into the model, without copying them: for runtimes that are given bytes.

import { type TensorProto, TensorProto_DataLocation } from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { changed } from "./changed.ts";
import { externalReference } from "./external.ts";
import type { Model } from "./types.ts";

/** A protobuf message holds less than 2 GiB; some of it is not tensors. */
const MAX_EMBEDDED_BYTES: number = 2 ** 31 - 2 ** 24;

/**
 * The model with the external initializers of its graph inside. The model itself if it has none.
 * @throws LutraError "unsupported" if they are too large for one file
 */
export function embedExternal(model: Model): Model {
  if (model.external.size === 0) return model;
  let total = 0;
  const initializer = model.graph.initializer.map((tensor) => {
    const reference = externalReference(tensor);
    const file = reference === null ? undefined : model.external.get(reference.location);
    if (reference === null || file === undefined) return tensor;
    const { offset, length } = reference;
    const rawData = file.subarray(offset, length === null ? undefined : offset + length);
    total += rawData.length;
    return inside(tensor, rawData);
  });
  if (total > MAX_EMBEDDED_BYTES) {
    throw new LutraError(
      "unsupported",
      `the model's external tensors have ${total} bytes, one file holds less than 2 GiB`,
    );
  }
  const graph = changed(model.graph, { initializer });
  return { ...model, graph, proto: changed(model.proto, { graph }), external: new Map() };
}

function inside(tensor: TensorProto, rawData: Uint8Array): TensorProto {
  return changed(tensor, {
    rawData: rawData as TensorProto["rawData"],
    externalData: [],
    dataLocation: TensorProto_DataLocation.DEFAULT,
  });
}
