// A kernel run by several threads: one module and one memory for all, an instance for each. Threads wait asleep between jobs, and small jobs
// leave them asleep.

import { LutraError } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Form } from "../target/wasm/index.ts";
import { type Inputs, type Outputs, signatureOf } from "./call.ts";
import { type CompiledKernel, callable } from "./callable.ts";
import type { Codes } from "./codes.ts";
import { compileKernel } from "./compile-kernel.ts";
import { Crew } from "./crew.ts";
import { chooseForm, emitFor } from "./form.ts";
import { type Needs, rowBytes, rowsOfBytes, scratchBytes } from "./layout.ts";
import { type Choice, computeOf, instantiate } from "./load.ts";
import type { Task } from "./pool-thread.ts";
import type { Compute } from "./runner.ts";
import { Tempo } from "./tempo.ts";
import { startThread, type Thread } from "./threads.ts";
import { Workspace } from "./workspace.ts";

export interface PoolOptions {
  /** With the calling one: 1 to 64. As many as the machine has cores are of use, if it has nothing else to do. */
  readonly threads: number;
  /** As for compileKernel. */
  readonly form?: Form;
}

export interface KernelPool extends CompiledKernel {
  readonly threads: number;
  /** Ends the threads. A run afterwards is an error. */
  close(): void;
}

const MOST_THREADS = 64;
/** Of all arrays: what a thread takes at a time. */
const CHUNK_BYTES = 256 * 1024;
/** Below so many bytes nobody is woken: the work would be over before they are there. */
const LEAST_BYTES = 16 * CHUNK_BYTES;
const PAGE_BYTES = 65536;
const MOST_PAGES = 65536;

/**
 * Opens a pool of threads for large arrays that its `buffers` gave: the threads share their memory. Arrays from elsewhere, which one thread
 * would have to copy there, are worked on by the calling thread alone. Its run is synchronous and gives the same bits as compileKernel's.
 * A run throws LutraError "cancelled" if a thread does not finish its part, and so do all later ones on the pool's arrays.
 *
 *     const pool = await openPool(kernel, { threads: 4 });
 *     const { input, output } = pool.buffers(5_000_000);
 *     pool.run(input, output);
 *     pool.close();
 *
 * @throws LutraError as compileKernel; "bad-argument" for a number of threads that is none; "unsupported" where memory cannot be shared (a
 * page that is not cross-origin isolated) or threads do not start
 */
export async function openPool(kernel: Kernel, { threads, form }: PoolOptions): Promise<KernelPool> {
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new LutraError("bad-argument", `a pool has 1 to ${MOST_THREADS} threads, got ${threads}`);
  }
  const choice = chooseForm(kernel, form);
  const alone = compileKernel(kernel, form === undefined ? {} : { form });
  const together = threads === 1 ? { ...alone, holds: () => true, helpers: [] } : await share(kernel, choice, threads);
  let isOpen = true;
  const run = (input: Inputs, output?: Outputs, columns?: number): Outputs => {
    if (!isOpen) throw new LutraError("bad-argument", "this pool is closed");
    const isInside = output !== undefined && together.holds(input) && together.holds(output);
    return (isInside ? together : alone).run(input, output as Codes, columns);
  };
  return {
    ...together,
    run: run as CompiledKernel["run"],
    threads,
    close() {
      isOpen = false;
      for (const helper of together.helpers) helper.terminate();
    },
  };
}

interface Together extends CompiledKernel {
  /** Whether arrays are in the memory that the threads share. */
  holds(codes: Inputs): boolean;
  readonly helpers: readonly Thread[];
}

async function share(kernel: Kernel, choice: Choice, threads: number): Promise<Together> {
  const { emitted } = choice;
  const module = emitFor(kernel, choice, { kind: "imported", base: 0, isShared: true });
  const memory = sharedMemory(emitted.tableBytes);
  const exports = instantiate(module, memory);
  const crew = new Crew(emitted, exports.run);
  const helpers = await startAll(
    Array.from({ length: threads - 1 }, (_, i) => ({ ...crew.task, module, memory, thread: i + 1 })),
  );
  const needs = { ...emitted, threads };
  const compute = computeTogether(needs, computeOf(emitted, exports), crew);
  const computeOne = (input: number, output: number, rows: number): void =>
    compute([input, output], 0, { rows, columns: 1 });
  const workspace = new Workspace(memory, exports.heap);
  const loaded = { signature: signatureOf(emitted), needs, workspace, compute };
  const holds = (given: Inputs): boolean =>
    (ArrayBuffer.isView(given) ? [given] : Object.values(given ?? {})).every(
      (codes) => ArrayBuffer.isView(codes) && workspace.holds(codes),
    );
  return { ...callable(emitted, computeOne, loaded), holds, helpers };
}

/** All, or none if one does not start. */
async function startAll(tasks: readonly Task[]): Promise<readonly Thread[]> {
  const started = await Promise.allSettled(tasks.map(startThread));
  const threads = started.flatMap((thread) => (thread.status === "fulfilled" ? [thread.value] : []));
  const failed = started.find((thread) => thread.status === "rejected");
  if (failed === undefined) return threads;
  for (const thread of threads) thread.terminate();
  throw failed.reason;
}

function sharedMemory(bytes: number): WebAssembly.Memory {
  if (typeof SharedArrayBuffer === "undefined") {
    throw new LutraError("unsupported", "this page's memory cannot be shared with threads", {
      note: "serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    });
  }
  try {
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES), maximum: MOST_PAGES, shared: true });
  } catch (cause) {
    throw new LutraError("infeasible", "there is no address space for shared memory of up to 4 GiB", { cause });
  }
}

/** Large runs in chunks by all threads, where that is faster; others by this one. */
function computeTogether(needs: Needs, compute: Compute, crew: Crew): Compute {
  const tempo = new Tempo();
  return (addresses, scratch, { rows, columns }) => {
    crew.check();
    const bytes = rows * rowBytes(needs, columns);
    if (bytes < LEAST_BYTES) {
      compute(addresses, scratch, { rows, columns });
      return;
    }
    const isHelped = tempo.isHelpWanted();
    const start = performance.now();
    if (isHelped) {
      const chunkRows = rowsOfBytes(needs, columns, CHUNK_BYTES);
      const job = { addresses, scratch, scratchBytes: scratchBytes(needs, columns), chunkRows, rows, columns };
      crew.do(job, needs.threads - 1);
    } else compute(addresses, scratch, { rows, columns });
    tempo.record(isHelped, bytes, performance.now() - start);
  };
}
