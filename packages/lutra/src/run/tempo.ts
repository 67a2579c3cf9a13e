// Whether help is worth it. On a machine that has other work, a thread that is woken may take the processor of the one that woke it, and a job
// takes longer with it than without: so a pool times both ways, takes the faster, and now and then tries the other again.

/** Jobs whose times are remembered, of each way. */
const REMEMBERED = 5;
/** Jobs of each way before the first choice. */
const TRIED = 3;
/** With help a job must take so much less: it takes processors from others. */
const GAIN = 0.9;
/** Every so many jobs the other way is tried again: seldom where it takes twice as long. */
const RETRY = { close: 8, clear: 32 } as const;
const CLEAR = 2;

export class Tempo {
  /** Milliseconds per byte of the latest jobs: alone, with help. */
  readonly #times: readonly [number[], number[]] = [[], []];
  #jobs = 0;

  /** Whether the next job is to be done with help. */
  isHelpWanted(): boolean {
    const [alone, helped] = this.#times;
    this.#jobs++;
    if (helped.length < TRIED || alone.length < TRIED) return helped.length <= alone.length;
    const ratio = middle(helped) / middle(alone);
    const isClose = ratio > 1 / CLEAR && ratio < CLEAR;
    const isRetry = this.#jobs % RETRY[isClose ? "close" : "clear"] === 0;
    return ratio < GAIN !== isRetry;
  }

  /** What a job took. */
  record(isHelped: boolean, bytes: number, milliseconds: number): void {
    const times = this.#times[isHelped ? 1 : 0];
    times.push(milliseconds / bytes);
    if (times.length > REMEMBERED) times.shift();
  }
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] as number;
}
