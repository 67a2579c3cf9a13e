// Jobs shared by the calling thread and those that help it. The caller takes chunks as all others do and waits only for chunks that another
// has begun: a thread that still sleeps when the work is over has no part in it.

import { LutraError } from "../base/index.ts";
import type { EmittedModule } from "../target/wasm/index.ts";
import { type Extent, strideOver } from "./call.ts";
import { bytesOf } from "./codes.ts";
import { JOB_WORDS, type RunModule, type Task, WORDS, work } from "./pool-thread.ts";

/** How often the caller looks whether all is done before it sleeps: 10 us. */
const LOOKS = 2000;
/** The caller's sleep: others end it. */
const SLEEP_MS = 1;
/** After so long without progress a thread is given up: it has crashed, or somebody stopped it. */
const PATIENCE_MS = 2000;

/** Rows of so many columns, in chunks of some rows. */
export interface Job extends Extent {
  readonly addresses: readonly number[];
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly chunkRows: number;
}

export type Ports = Pick<EmittedModule, "params" | "results" | "isOverRows">;

export class Crew {
  /** For the threads that help, besides module, memory and their number. */
  readonly task: Omit<Task, "module" | "memory">;
  readonly #control: Int32Array;
  readonly #run: RunModule;
  readonly #ports: Ports;
  readonly #maySleep: boolean = maySleep();
  /** Whether a thread may still be at work on a job that was given up: it would count, and write, as if it were a later one's. */
  #isBroken = false;

  constructor(ports: Ports, run: RunModule) {
    const arrays = ports.params.length + ports.results.length;
    const words = WORDS.job + JOB_WORDS + 2 * arrays;
    this.#control = new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT));
    this.#ports = ports;
    this.#run = run;
    this.task = { control: this.#control, thread: 0, arrays, isOverRows: ports.isOverRows };
  }

  /** @throws LutraError "cancelled" if a job was given up: a slow thread may still write into the memory */
  check(): void {
    if (!this.#isBroken) return;
    throw new LutraError("cancelled", "this pool gave up waiting for one of its threads", {
      note: "it may still be at work in the pool's memory: close this pool and open another",
    });
  }

  /**
   * Does a job, with so many threads asked to help.
   * @throws LutraError "cancelled" if a thread stopped in the middle of a chunk, now or in an earlier job; RangeError if the module trapped
   */
  do(job: Job, helpers: number): void {
    this.check();
    const control = this.#control;
    const chunks = Math.ceil(job.rows / job.chunkRows);
    this.#describe(job, chunks);
    Atomics.store(control, WORDS.done, 0);
    Atomics.store(control, WORDS.failed, 0);
    Atomics.store(control, WORDS.left, chunks);
    Atomics.add(control, WORDS.wake, 1);
    Atomics.notify(control, WORDS.wake, Math.min(helpers, chunks - 1));
    work(this.task, this.#run, WORDS);
    this.#awaitBegun(chunks);
    if (Atomics.load(control, WORDS.failed) === 1) throw new RangeError("the kernel's module trapped");
  }

  /** Nobody reads a job before it has a chunk of it. */
  #describe({ rows, columns, chunkRows, addresses, scratch, scratchBytes }: Job, chunks: number): void {
    const { params, results } = this.#ports;
    const arrays = [...params, ...results].flatMap(({ lane, over }, i) => [
      addresses[i] as number,
      strideOver(over, columns) * bytesOf(lane),
    ]);
    this.#control.set([chunks, chunkRows, rows, columns, scratch, scratchBytes, ...arrays], WORDS.job);
  }

  #awaitBegun(chunks: number): void {
    const control = this.#control;
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(control, WORDS.done) === chunks) return;
    let waited = 0;
    let last = performance.now();
    for (let before = -1; ; ) {
      const done = Atomics.load(control, WORDS.done);
      if (done === chunks) return;
      const now = performance.now();
      // A machine that slept has not been waiting.
      waited = done === before ? waited + Math.min(now - last, 2 * SLEEP_MS) : 0;
      before = done;
      last = now;
      if (waited > PATIENCE_MS) {
        this.#isBroken = true;
        throw new LutraError("cancelled", "a thread of the pool stopped in the middle of its work", {
          note: "what the outputs hold is of no use; open another pool",
        });
      }
      if (this.#maySleep) Atomics.wait(control, WORDS.done, done, SLEEP_MS);
    }
  }
}

/** A page's own thread may not sleep. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
