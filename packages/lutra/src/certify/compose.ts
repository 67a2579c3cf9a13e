// Certificates of row layers, composed from the proofs of their tables. One file per family of layers; here is who does what.

import { LutraError, type Work } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Certificate } from "./types.ts";

export interface RowOptions {
  /** layer-norm: rows with |mean| at most this many times sqrt(variance + epsilon). */
  readonly meanRatio?: number;
}

const ROW_FUNCTIONS: readonly string[] = ["softmax", "log-softmax", "layer-norm", "rms-norm"];

export function isRowFunction(fn: string): boolean {
  return ROW_FUNCTIONS.includes(fn);
}

// biome-ignore lint/correctness/useYield: the proofs of the tables yield
export function* certifyRows(kernel: Kernel, _relativeFloor: number, _rows: RowOptions): Work<Certificate> {
  throw new LutraError("unsupported", `no proof for ${kernel.spec.fn} yet`);
}
