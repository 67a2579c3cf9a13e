// What the threads of a pool do. `serve` and `work` travel to other threads as text: they use nothing but their arguments and globals. A chunk
// belongs to whoever takes it from the count of those left; only then is the job read, which nobody changes while a chunk is in work.

/** Places in the Int32Array that all threads share: 64 bytes apart where several write. */
export const WORDS = {
  /** Counts jobs: sleeping threads wait for it to change. */
  wake: 0,
  /** Chunks that nobody has taken; below 0 after some have looked in vain. */
  left: 16,
  /** Chunks that are finished. */
  done: 32,
  /** 1 if a run of the module trapped. */
  failed: 48,
  /** chunks, rows of a chunk, rows, columns, scratch, its bytes for a thread, then address and bytes of a row of each array. */
  job: 64,
} as const;

/** Words in front of the arrays in a job. */
export const JOB_WORDS = 6;

export type Words = typeof WORDS;
export type RunModule = (...numbers: readonly number[]) => void;
export type Work = typeof work;

/** What a thread needs, sent once. */
export interface Task {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly thread: number;
  /** Of the kernel: params and results. */
  readonly arrays: number;
  readonly isOverRows: boolean;
}

export interface Port {
  onmessage: ((event: { readonly data: Task }) => void) | null;
  postMessage(message: string): void;
}

/** Takes chunks until none is left. */
export function work(
  { control, thread, arrays, isOverRows }: Omit<Task, "module" | "memory">,
  run: RunModule,
  { left, done, failed, job }: Words,
): void {
  for (;;) {
    const rest = Atomics.sub(control, left, 1);
    if (rest <= 0) return;
    const chunks = control[job] as number;
    const most = control[job + 1] as number;
    const first = (chunks - rest) * most;
    const rows = Math.min(most, ((control[job + 2] as number) >>> 0) - first);
    const numbers: number[] = [];
    for (let i = 0; i < arrays; i++) {
      const at = job + 6 + 2 * i;
      numbers.push((control[at] as number) + first * (control[at + 1] as number));
    }
    if (isOverRows) {
      const scratch = (control[job + 4] as number) + thread * (control[job + 5] as number);
      numbers.push(scratch, rows, control[job + 3] as number);
    } else numbers.push(rows);
    try {
      run(...numbers);
    } catch {
      Atomics.store(control, failed, 1);
    }
    if (Atomics.add(control, done, 1) + 1 === chunks) Atomics.notify(control, done);
  }
}

/** The life of a thread: sleeps until a job comes. */
export function serve(port: Port, words: Words, takeChunks: Work): void {
  port.onmessage = ({ data: task }) => {
    const { module, memory, control } = task;
    const { exports } = new WebAssembly.Instance(module, { lutra: { memory } });
    let seen = 0;
    port.postMessage("ready");
    for (;;) {
      Atomics.wait(control, words.wake, seen);
      seen = Atomics.load(control, words.wake);
      takeChunks(task, exports.run as RunModule, words);
    }
  };
}
