// External data: tensors whose bytes lie in files beside the model. They stay references; this finds, opens and checks the files.

import type { ModelProto, TensorProto } from "onnx-buf";
import { TensorProto_DataLocation } from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { storedTensors } from "./stored.ts";
import type { ExternalFile } from "./types.ts";

/** Where an external tensor's bytes lie; `length` null means to the end of the file. */
export interface ExternalReference {
  readonly location: string;
  readonly offset: number;
  readonly length: number | null;
}

/** null if the tensor keeps its data in the model. @throws LutraError "bad-model" if the reference makes no sense. */
export function externalReference(tensor: TensorProto): ExternalReference | null {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return null;
  const entry = (key: string): string | undefined => tensor.externalData.find((pair) => pair.key === key)?.value;
  const location = entry("location") ?? "";
  const offset = Number(entry("offset") ?? 0);
  const lengthText = entry("length");
  const length = lengthText === undefined ? null : Number(lengthText);
  const sensible = (n: number | null): boolean => n === null || (Number.isSafeInteger(n) && n >= 0);
  if (location === "" || !sensible(offset) || !sensible(length))
    throw new LutraError(
      "bad-model",
      `the external data of tensor "${tensor.name}" has no valid location, offset and length`,
      {
        where: `tensor ${tensor.name}`,
      },
    );
  return { location, offset, length };
}

/** Opens every file named once. @throws LutraError "bad-model" naming the file that is missing, outside the model's folder or too short. */
export function loadExternal(
  proto: ModelProto,
  open: (location: string) => ExternalFile | Uint8Array,
): ReadonlyMap<string, ExternalFile> {
  const files = new Map<string, ExternalFile>();
  for (const tensor of storedTensors(proto)) {
    const reference = externalReference(tensor);
    if (reference === null) continue;
    const { location, offset, length } = reference;
    const file = files.get(location) ?? openFile(location, tensor.name, open);
    files.set(location, file);
    if (offset + (length ?? 0) > file.size)
      throw new LutraError("bad-model", `the external data file "${location}" is too short: ${file.size} bytes`, {
        where: `tensor ${tensor.name}, bytes ${offset} to ${offset + (length ?? 0)}`,
        note: "Fetch the file again; it belongs to another version of the model or was cut off.",
      });
  }
  return files;
}

function openFile(
  location: string,
  tensorName: string,
  open: (location: string) => ExternalFile | Uint8Array,
): ExternalFile {
  const where = `tensor ${tensorName}`;
  if (/^([/\\]|[A-Za-z]:)/.test(location) || location.split(/[/\\]/).includes(".."))
    throw new LutraError("bad-model", `the external data file "${location}" lies outside the model's folder`, {
      where,
    });
  try {
    const file = open(location);
    if (!(file instanceof Uint8Array)) return file;
    return { size: file.length, read: (offset, length) => file.subarray(offset, offset + length) };
  } catch (cause) {
    throw new LutraError("bad-model", `the external data file "${location}" cannot be read`, {
      where,
      note: "Put it beside the model, under the name the model gives it.",
      cause,
    });
  }
}
