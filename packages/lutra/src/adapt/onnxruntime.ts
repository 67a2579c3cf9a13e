// onnxruntime as a Session. The runtime is passed in (onnxruntime-node, onnxruntime-web or a build of them), so lutra itself depends on
// none; only types are imported. Its errors become LutraErrors, its int64 and float16 tensors what base/tensor.ts can hold.

import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor as OrtTensor,
  TensorConstructor,
} from "onnxruntime-common";
import {
  LutraError,
  type LutraErrorCode,
  type Numbers,
  type Session,
  type Tensor,
  type Tensors,
} from "../base/index.ts";
import { fromBits16 } from "../num/index.ts";

/** The part of the onnxruntime module that is used: `import * as ort from "onnxruntime-node"`. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

export interface SessionOptions {
  /** Threads inside one operator; onnxruntime's own choice if absent. */
  readonly threads?: number;
}

/** A value as the model declares it: element type, and extents with null where any is accepted; null if there is no shape. */
export interface DeclaredValue {
  readonly type: string;
  readonly shape: readonly (number | null)[] | null;
}

export interface OnnxSession extends Session {
  readonly inputs: Readonly<Record<string, DeclaredValue>>;
  readonly outputs: Readonly<Record<string, DeclaredValue>>;
}

/** Errors only: onnxruntime's warnings are about its own optimizer. */
const LOG_SEVERITY_ERROR = 3;

/**
 * A session of a model, given as bytes or as the path of a file (the runtime reads it, with its external data).
 * @throws LutraError "bad-model" with onnxruntime's message
 */
export async function openSession(
  ort: OnnxRuntime,
  model: Uint8Array | string,
  options: SessionOptions = {},
): Promise<OnnxSession> {
  const settings: InferenceSession.SessionOptions = {
    graphOptimizationLevel: "all",
    logSeverityLevel: LOG_SEVERITY_ERROR,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
  };
  const { InferenceSession: factory } = ort;
  const where = typeof model === "string" ? model : undefined;
  const session = await asking("bad-model", "onnxruntime cannot load the model", where, () =>
    typeof model === "string" ? factory.create(model, settings) : factory.create(model, settings),
  );
  const inputs = declaredValues(session.inputMetadata);
  return {
    inputs,
    outputs: declaredValues(session.outputMetadata),
    async run(tensors, outputs = session.outputNames) {
      // onnxruntime takes an empty list for a mistake.
      if (outputs.length === 0) return {};
      checkOutputs(outputs, session.outputNames);
      const feeds = Object.entries(tensors).map(
        ([name, tensor]) => [name, toOrt(ort, name, tensor, inputs[name]?.type)] as const,
      );
      const results = await asking("mismatch", "onnxruntime cannot run the model", where, () =>
        session.run(Object.fromEntries(feeds), outputs),
      );
      const tensorsOut = Object.entries(results).map(([name, value]) => [name, fromOrt(name, value)] as const);
      return Object.fromEntries(tensorsOut) satisfies Tensors;
    },
    release: () => session.release(),
  };
}

/** onnxruntime itself speaks of "fetches". @throws LutraError "mismatch" */
function checkOutputs(wanted: readonly string[], names: readonly string[]): void {
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new LutraError("mismatch", `the model has no output "${unknown}"`, { note: `it has ${names.join(", ")}` });
}

async function asking<T>(
  code: LutraErrorCode,
  what: string,
  where: string | undefined,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const message = `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new LutraError(code, message, where === undefined ? { cause } : { where, cause });
  }
}

/**
 * Tensors only: sequences and maps are not declared. onnxruntime gives a name or a negative number where any extent is accepted, and []
 * both for a single number and where no shape is declared.
 */
function declaredValues(metadata: readonly InferenceSession.ValueMetadata[]): Readonly<Record<string, DeclaredValue>> {
  const values = metadata.flatMap((value) => {
    if (!value.isTensor) return [];
    const shape = value.shape.map((extent) => (typeof extent === "number" && extent >= 0 ? extent : null));
    return [[value.name, { type: value.type, shape: shape.length === 0 ? null : shape }] as const];
  });
  return Object.fromEntries(values);
}

function toOrt(ort: OnnxRuntime, name: string, { data, shape }: Tensor, declared: string | undefined): OrtTensor {
  if (declared === "bool" && data instanceof Uint8Array) return new ort.Tensor("bool", data, shape);
  if (declared === "float16") {
    throw new LutraError("unsupported", "inputs in float16 are not supported", {
      where: `input "${name}"`,
      note: "use the model's float32 form",
    });
  }
  if (data instanceof Float32Array) return new ort.Tensor("float32", data, shape);
  if (data instanceof Float64Array) return new ort.Tensor("float64", data, shape);
  if (data instanceof BigInt64Array) return new ort.Tensor("int64", data, shape);
  if (data instanceof Int32Array) return new ort.Tensor("int32", data, shape);
  if (data instanceof Int16Array) return new ort.Tensor("int16", data, shape);
  if (data instanceof Int8Array) return new ort.Tensor("int8", data, shape);
  if (data instanceof Uint32Array) return new ort.Tensor("uint32", data, shape);
  if (data instanceof Uint16Array) return new ort.Tensor("uint16", data, shape);
  return new ort.Tensor("uint8", data, shape);
}

function fromOrt(name: string, { type, data, dims }: OrtTensor): Tensor {
  const shape = [...dims];
  // Engines with a Float16Array of their own get one from onnxruntime, others the bits.
  if (type === "float16")
    return { shape, data: data instanceof Uint16Array ? widen(data) : Float32Array.from(data as ArrayLike<number>) };
  if (type === "string" || type === "uint64" || type === "int4" || type === "uint4") {
    throw new LutraError("unsupported", `outputs of type ${type} are not supported`, { where: `output "${name}"` });
  }
  return { shape, data: data as Numbers };
}

function widen(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, fromBits16);
}
