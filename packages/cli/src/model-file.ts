// ONNX models on disk: reading one with the files its tensors lie in, and opening one in onnxruntime.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { LutraError } from "lutra/base";
import type { ExternalFile, Model } from "lutra/onnx";
import type { OnnxRuntime } from "lutra/onnxruntime";
import { fileSize, readBytes } from "./files.ts";

/** What a program's file begins with. */
const PROGRAM_MARK = "LUTRA";

/** @throws LutraError "io" or "bad-model", naming the file */
export async function readModelFile(path: string): Promise<Model> {
  // Another thread reads while this one loads the library.
  const [bytes, { readModel }] = await Promise.all([readBytes(path), import("lutra/onnx")]);
  if (startsAsProgram(bytes)) {
    throw new LutraError("bad-model", "the file is a lutra program, not an ONNX model", {
      where: path,
      note: "inspect and evaluate take programs by their name, NAME.lutra; the other commands take ONNX models",
    });
  }
  const folder = dirname(path);
  return await inFile(path, () => readModel(bytes, { external: (location) => openExternal(join(folder, location)) }));
}

function startsAsProgram(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, PROGRAM_MARK.length)) === PROGRAM_MARK;
}

/**
 * A model that fits into one file with all its tensors.
 * @param what is not offered for others: "refitting its tables"
 * @throws LutraError "unsupported" with the file of tensors that would have to stay beside it; as `readModelFile`
 */
export async function readWholeModel(path: string, what: string): Promise<Model> {
  const model = await readModelFile(path);
  const { externalFiles } = await import("lutra/onnx");
  const [outside] = externalFiles(model);
  if (outside === undefined) return model;
  throw new LutraError("unsupported", `the tensors of ${path} are too large to be taken into one file`, {
    where: join(dirname(path), outside),
    note: `lutra compile can replace its layers; ${what} is not offered`,
  });
}

/** Bytes of a model's file and of the files beside it that hold its tensors. @throws LutraError "io" */
export async function modelSize(path: string, model: Model): Promise<number> {
  const beside = [...model.external.values()].reduce((sum, { size }) => sum + size, 0);
  return (await fileSize(path)) + beside;
}

/** A file that is read only where it is asked for. */
function openExternal(path: string): ExternalFile {
  const found = statSync(path);
  if (!found.isFile()) throw new LutraError("io", "it is not a file", { where: path });
  return {
    size: found.size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      const file = openSync(path, "r");
      try {
        for (let done = 0; done < length; ) {
          const count = readSync(file, bytes, done, length - done, offset + done);
          if (count === 0) throw new LutraError("io", `the file ended at byte ${offset + done}`, { where: path });
          done += count;
        }
      } finally {
        closeSync(file);
      }
      return bytes;
    },
  };
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
