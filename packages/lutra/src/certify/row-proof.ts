// What the proof of a row layer consists of: bounds, the rows they hold over, further properties. Shared by the layers' proofs.

import { ulp32 } from "../num/index.ts";

/** Which rows a composed certificate covers. */
export interface RowOptions {
  /** layer-norm: rows with |mean| at most this many times sqrt(variance + epsilon), whose mean cancels little. 4 by default. */
  readonly meanRatio?: number;
  /** log-softmax: the absolute bound is for positions at most this far below the row's maximum. 128 by default. */
  readonly spread?: number;
}

export interface Bounds {
  readonly absolute: number;
  readonly relative: number;
  readonly ulp: number;
}

export interface LayerProof {
  readonly bounds: Bounds;
  readonly over: string;
  /** Whether a row of finite values is one of those. */
  readonly covers: (row: readonly number[]) => boolean;
  readonly properties: readonly string[];
}

/** Bounds from |error| <= share * |y| + rest for all y, given also the largest |error| outright. */
export function boundsOf(share: number, rest: number, absolute: number, relativeFloor: number): Bounds {
  // |y| < 2^24 ulp(y) for every y, and no ulp is less than 2^-149.
  const slack = 1 + 2 ** -48;
  return {
    absolute: absolute * slack,
    relative: (share + rest / relativeFloor) * slack,
    ulp: (share * 2 ** 24 + rest / ulp32(0)) * slack,
  };
}

/** Short decimal for properties, rounded up: "1.2e-4". */
export function upwards(x: number): string {
  const text = x.toPrecision(3);
  return Number(text) >= x ? text : (x * 1.005).toPrecision(3);
}
