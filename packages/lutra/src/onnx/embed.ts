// Moves tensors from files beside the model into the model, for runtimes that are given bytes. A model that would become too large for
// one file stays as it is.

import { type TensorProto, TensorProto_DataLocation } from "onnx-buf";
import { changed } from "./changed.ts";
import { type ExternalReference, externalReference } from "./external.ts";
import { changeTensors, storedTensors } from "./stored.ts";
import type { ExternalFile, Model } from "./types.ts";

/** A protobuf message holds less than 2 GiB; some of it is not tensors. */
const MAX_EMBEDDED_BYTES: number = 2 ** 31 - 2 ** 24;

/** The model with all its external tensors inside, those in bodies too; the model itself if it has none, or if `externalFiles` must stay. */
export function embedExternal(model: Model): Model {
  if (model.external.size === 0 || !isEmbeddable(model)) return model;
  const embedded = changeTensors(model, (tensor) => {
    const found = stored(model, tensor);
    return found === null ? tensor : inside(tensor, found.file.read(found.reference.offset, lengthOf(found)));
  });
  return { ...embedded, external: new Map() };
}

/** The locations of the files that must lie beside what `compile` makes of the model: none, unless its tensors exceed one file. */
export function externalFiles(model: Model): readonly string[] {
  return isEmbeddable(model) ? [] : [...model.external.keys()];
}

function isEmbeddable(model: Model): boolean {
  let total = 0;
  for (const tensor of storedTensors(model.proto)) {
    const found = stored(model, tensor);
    if (found !== null) total += lengthOf(found);
  }
  return total <= MAX_EMBEDDED_BYTES;
}

interface Stored {
  readonly reference: ExternalReference;
  readonly file: ExternalFile;
}

function stored(model: Model, tensor: TensorProto): Stored | null {
  const reference = externalReference(tensor);
  const file = reference === null ? undefined : model.external.get(reference.location);
  return reference === null || file === undefined ? null : { reference, file };
}

function lengthOf({ reference, file }: Stored): number {
  return reference.length ?? file.size - reference.offset;
}

function inside(tensor: TensorProto, rawData: Uint8Array): TensorProto {
  return changed(tensor, {
    rawData: rawData as TensorProto["rawData"],
    externalData: [],
    dataLocation: TensorProto_DataLocation.DEFAULT,
  });
}
