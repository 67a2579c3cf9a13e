// Bytes to Model. Tensors stay where they are: raw_data is a view of the bytes given, which must not change afterwards.
// Whatever the bytes are, the answer is a checked Model or a LutraError "bad-model".

import { fromBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema } from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { checkGraph } from "./check.ts";
import { loadExternal } from "./external.ts";
import { FIRST_OPSET, LAST_OPSET, MAX_FILE_BYTES } from "./limits.ts";
import { scan } from "./scan.ts";
import { looksLike } from "./sniff.ts";
import { storedTensors } from "./stored.ts";
import { checkTensorSize } from "./tensor-size.ts";
import type { ExternalFile, Model } from "./types.ts";

export interface ReadOptions {
  /**
   * Gives an external data file, or all of its bytes, by the location the model names (relative to the model). It may throw if there
   * is none. If absent, external tensors stay references that cannot be decoded.
   */
  readonly external?: (location: string) => ExternalFile | Uint8Array;
}

/**
 * Reads an ONNX model (IR 3 and later, opset 7 to 26).
 * @throws LutraError "bad-model" if it is empty, truncated, not ONNX, beyond a limit of limits.ts, of another opset, has no graph, a
 * cycle, a value produced twice or never, a tensor whose data do not fit its shape, or an external data file that is missing or too short.
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const proto = parse(bytes);
  const graph = proto.graph;
  if (graph === undefined || (graph.node.length === 0 && graph.output.length === 0))
    throw notOnnx(bytes, "it has no graph");
  const opset = checkOpset(proto);
  checkGraph(graph);
  for (const tensor of storedTensors(proto)) checkTensorSize(tensor);
  const external = options.external === undefined ? new Map() : loadExternal(proto, options.external);
  return { proto, graph, opset, external };
}

function parse(bytes: Uint8Array): ModelProto {
  if (bytes.length === 0) throw new LutraError("bad-model", "the model file is empty");
  if (bytes.length > MAX_FILE_BYTES)
    throw new LutraError("bad-model", `the model has ${bytes.length} bytes, more than ${MAX_FILE_BYTES}`, {
      note: "Save its tensors as external data.",
    });
  try {
    scan(ModelProtoSchema, bytes);
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    if (looksLike(bytes) !== null) throw notOnnx(bytes, "");
    if (error instanceof LutraError) throw error;
    throw new LutraError("bad-model", `the model is damaged: ${String(error)}`, { cause: error });
  }
}

function notOnnx(bytes: Uint8Array, otherwise: string): LutraError {
  const what = looksLike(bytes);
  return new LutraError(
    "bad-model",
    what === null ? `this is not a whole ONNX model: ${otherwise}` : `this is not an ONNX model; it looks like ${what}`,
    { note: "Give an .onnx file, as exporters such as torch.onnx.export or tf2onnx write it." },
  );
}

/** The version of the default operator set. */
function checkOpset(proto: ModelProto): number {
  const range = `opset ${FIRST_OPSET} to ${LAST_OPSET} is supported`;
  const imported = proto.opsetImport.find((entry) => entry.domain === "" || entry.domain === "ai.onnx");
  if (imported === undefined)
    throw new LutraError("bad-model", "the model imports no default operator set (opset_import)", { note: range });
  const opset = Number(imported.version);
  if (opset < FIRST_OPSET || opset > LAST_OPSET)
    throw new LutraError("bad-model", `opset ${opset} is not supported`, {
      where: "opset_import",
      note: `${range}; onnx.version_converter or a newer export changes it.`,
    });
  return opset;
}
