// A kernel of TensorFlow.js computed by a Lutra Kernel: tensors in, a tensor out, in the backend's own memory where it can be had. Tensors of
// other types than float32 are for the kernel that was there before.

import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import { type CompiledKernel, compileKernel, footprint } from "../../run/index.ts";
import { type BackendName, type Heap, type Host, type KernelArguments, openHost, sizeOf } from "./host.ts";
import { inputNames, type KernelName, kernelOf } from "./kernels.ts";

/**
 * The kernel function of a backend. It throws what compileKernel does, and LutraError "infeasible" where the backend's memory is full.
 * @param before computes what is not float32
 */
export function kernelFunction(
  name: KernelName,
  backendName: BackendName,
  before?: KernelConfig,
): KernelConfig["kernelFunc"] {
  const [first, second] = inputNames(name);
  return (given: KernelArguments): TensorInfo | TensorInfo[] => {
    const x = given.inputs[first] as TensorInfo;
    const other = second === undefined ? x : (given.inputs[second] as TensorInfo);
    const isFloat = x.dtype === "float32" && other.dtype === "float32";
    if (!isFloat && before !== undefined) return before.kernelFunc(given);
    const columns = x.shape.at(-1) ?? 1;
    const { host, run } = loadedIn(given.backend, backendName, name, columns);
    const output = host.makeOutput(x.shape);
    if (sizeOf(x.shape) === 0) return output;
    try {
      const values = host.values(x);
      const inputs = second === undefined ? values : { [first]: values, [second]: host.values(other) };
      run(inputs, host.values(output), columns);
    } catch (cause) {
      host.discard(output);
      throw cause;
    }
    return output;
  };
}

interface Loaded {
  readonly host: Host;
  readonly run: CompiledKernel["run"];
  /** The longest row that there is room for. */
  readonly columns: number;
  /** In the host's heap; 0 if in a memory of its own. */
  readonly address: number;
}

const loaded = new WeakMap<object, Map<KernelName, Loaded>>();

/** The kernel loaded where a backend's tensors are: at its first use there, and again where its rows become longer. */
function loadedIn(backend: object, backendName: BackendName, name: KernelName, columns: number): Loaded {
  const inBackend = loaded.get(backend) ?? new Map<KernelName, Loaded>();
  const known = inBackend.get(name);
  if (known !== undefined && known.columns >= columns) return known;
  const host = known?.host ?? openHost(backendName, backend);
  const made = { host, ...(host.heap === null ? loadAlone(name) : loadInto(host.heap, name, columns)) };
  if (known !== undefined) host.heap?.free(known.address);
  loaded.set(backend, inBackend.set(name, made));
  return made;
}

function loadAlone(name: KernelName): Omit<Loaded, "host"> {
  return { run: compileKernel(kernelOf(name)).run, columns: Infinity, address: 0 };
}

/** Regions begin at multiples of this. */
const ALIGNMENT = 64;

function loadInto(heap: Heap, name: KernelName, columns: number): Omit<Loaded, "host"> {
  const kernel = kernelOf(name);
  const isOverRows = kernel.values.some(({ op }) => op === "reduce");
  // Twice as long each time, so that rows of growing length seldom load anew.
  const longest = isOverRows ? 2 ** (32 - Math.clz32(columns)) : Infinity;
  const bytes = footprint(kernel, isOverRows ? { rows: 0, columns: longest } : 0);
  const address = heap.allocate(bytes + ALIGNMENT);
  const base = Math.ceil(address / ALIGNMENT) * ALIGNMENT;
  try {
    const { run } = compileKernel(kernel, { memory: { memory: heap.memory, base, bytes } });
    return { run, columns: longest, address };
  } catch (cause) {
    heap.free(address);
    throw cause;
  }
}
