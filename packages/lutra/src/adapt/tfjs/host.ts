// Where TensorFlow.js's wasm and cpu backends keep their tensors, and how a kernel gets at them. Neither says so in its types: what is
// used here is what the backends' own kernels use.

import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import { LutraError } from "../../base/index.ts";

export type BackendName = "wasm" | "cpu";
export const BACKENDS: readonly BackendName[] = ["wasm", "cpu"];

/** A backend's memory, as kernels in it see it. */
export interface Host {
  /** The memory that all tensors are in; null if they are arrays of their own, or the backend hides it. */
  readonly heap: Heap | null;
  /** A new float32 tensor. Views of others may detach. */
  makeOutput(shape: number[]): TensorInfo;
  /** Gives back an output that nobody has seen. */
  discard(output: TensorInfo): void;
  /** The values of a float32 tensor, where they are. */
  values(tensor: TensorInfo): Float32Array;
}

export interface Heap {
  readonly memory: WebAssembly.Memory;
  /** Address of so many bytes. Views of tensors may detach. @throws LutraError "infeasible" */
  allocate(bytes: number): number;
  free(address: number): void;
}

/** The argument of every kernel. */
export type KernelArguments = Parameters<KernelConfig["kernelFunc"]>[0];

interface Backend {
  /** Takes one reference away; of the last, the values too. */
  disposeData(dataId: object): unknown;
}

interface WasmBackend extends Backend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    /** 0 if there is no room; above 2 GiB negative. */
    _malloc(bytes: number): number;
    _free(address: number): void;
    /** Of builds with threads. */
    readonly wasmMemory?: WebAssembly.Memory;
    /** Of builds without. */
    readonly asm?: { readonly memory?: WebAssembly.Memory };
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: "float32"): TensorInfo;
}

interface CpuBackend extends Backend {
  readonly data: { get(dataId: object): { readonly values: ArrayLike<number> } };
  makeTensorInfo(shape: number[], dtype: "float32", values: Float32Array): TensorInfo;
}

const OPENERS = {
  wasm: (backend: object) => openWasm(backend as WasmBackend),
  cpu: (backend: object) => openCpu(backend as CpuBackend),
} as const satisfies Readonly<Record<BackendName, (backend: object) => Host>>;

export function openHost(name: BackendName, backend: object): Host {
  return OPENERS[name](backend);
}

function openWasm(backend: WasmBackend): Host {
  const { wasm } = backend;
  const heap = heapOf(wasm);
  return {
    heap,
    makeOutput: (shape) => backend.makeOutput(shape, "float32"),
    discard: ({ dataId }) => backend.disposeData(dataId),
    values: ({ dataId, shape }) => {
      // Memory that grew has a new buffer: it is asked each time.
      const buffer = heap === null ? wasm.HEAPU8.buffer : heap.memory.buffer;
      return new Float32Array(buffer, backend.dataIdMap.get(dataId).memoryOffset, sizeOf(shape));
    },
  };
}

function heapOf(wasm: WasmBackend["wasm"]): Heap | null {
  const memory = wasm.wasmMemory ?? wasm.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory)) return null;
  return {
    memory,
    allocate: (bytes) => {
      const address = wasm._malloc(bytes) >>> 0;
      if (address > 0) return address;
      throw new LutraError("infeasible", `TensorFlow.js's WebAssembly memory has no room for ${bytes} bytes more`, {
        note: "dispose of tensors that are not needed, with tf.tidy or dispose()",
      });
    },
    free: (address) => wasm._free(address),
  };
}

function openCpu(backend: CpuBackend): Host {
  return {
    heap: null,
    makeOutput: (shape) => backend.makeTensorInfo(shape, "float32", new Float32Array(sizeOf(shape))),
    discard: ({ dataId }) => backend.disposeData(dataId),
    values: ({ dataId }) => {
      const { values } = backend.data.get(dataId);
      return values instanceof Float32Array ? values : Float32Array.from(values);
    },
  };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}
