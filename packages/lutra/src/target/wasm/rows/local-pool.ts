// Locals of parts of a function that run one after another and share nothing: each part begins with the same ones. So the copies of a step are the
// same bytes but for addresses, and compress.

import type { Local, ValueType } from "../assembler.ts";
import type { Locals } from "../lanes.ts";

export class LocalPool implements Locals {
  readonly #from: Locals;
  readonly #known = new Map<ValueType, Local[]>();
  readonly #used = new Map<ValueType, number>();

  constructor(from: Locals) {
    this.#from = from;
  }

  /** From here on nothing is needed of what was handed out before. */
  restart(): void {
    this.#used.clear();
  }

  local(type: ValueType): Local {
    const known = this.#known.get(type) ?? [];
    const used = this.#used.get(type) ?? 0;
    if (used === known.length) known.push(this.#from.local(type));
    this.#known.set(type, known);
    this.#used.set(type, used + 1);
    return known[used] as Local;
  }
}
