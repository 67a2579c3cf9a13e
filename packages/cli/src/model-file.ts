// ONNX models on disk: reading one with the files its tensors lie in, and opening one in onnxruntime.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LutraError, type Model, readModel } from "lutra";
import type { OnnxRuntime } from "lutra/onnxruntime";
import { readBytes } from "./files.ts";

/** @throws LutraError "io" or "bad-model", naming the file */
export async function readModelFile(path: string): Promise<Model> {
  const bytes = await readBytes(path);
  const folder = dirname(path);
  return await inFile(path, () => readModel(bytes, { external: (location) => readFileSync(join(folder, location)) }));
}

/** Errors from inside say which file they are about. */
export async function inFile<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LutraError) || error.code === "cancelled" || error.where?.includes(path)) throw error;
    const where = error.where === undefined ? path : `${path}: ${error.where}`;
    throw new LutraError(error.code, error.message, {
      where,
      ...(error.note === undefined ? {} : { note: error.note }),
      cause: error,
    });
  }
}

/** onnxruntime, loaded only by commands that run a model. @throws LutraError "unsupported" if it is not installed here */
export async function loadRuntime(): Promise<OnnxRuntime> {
  try {
    return (await import("onnxruntime-node")) as unknown as OnnxRuntime;
  } catch (cause) {
    throw new LutraError("unsupported", "onnxruntime-node cannot be loaded on this machine", {
      note: "run npm install again; it has builds for Linux, macOS and Windows on x64 and arm64",
      cause,
    });
  }
}
