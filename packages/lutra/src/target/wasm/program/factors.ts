// How a product of a program is computed: which method, and what is added to a factor so that it has the 7 bits that relaxed dot products
// want of one of them. What that adds to the sums is taken off where they start.

import { LutraError } from "../../../base/index.ts";
import type { Facts, Step, TensorType } from "../../../program/index.ts";
import { type ProductMethod, type ProductStarts, productLayout } from "../product.ts";

export type ProductStep = Step & { readonly op: "product" };

/** Products of bytes by relaxed dot products, or all by those of two 16-bit numbers. */
export type Family = "relaxed" | "simd";

export interface Factors {
  readonly method: ProductMethod;
  /** What is added to a, and to b: 0 or 64. */
  readonly offsetA: number;
  readonly offsetB: number;
  /** How a's bytes become the method's 16-bit numbers; null where they need not. */
  readonly widenedA: "signed" | "unsigned" | null;
}

const OFFSET = 64;
const LARGEST_SEVEN = 127;

/** @throws LutraError "unsupported" for factors that no method takes */
export function factorsOf(step: ProductStep, facts: Facts, family: Family): Factors {
  const { program } = facts;
  const { lane: laneA } = program.tensors[step.a] as TensorType;
  const { lane: laneB } = program.tensors[step.b] as TensorType;
  const isByteA = laneA === "i8" || laneA === "u8";
  if (!(isByteA || laneA === "i16") || !(laneB === "i8" || laneB === "i16")) {
    throw new LutraError("unsupported", `no product of ${laneA} by ${laneB} codes is written in WebAssembly`);
  }
  const wide = (method: ProductMethod): Factors => {
    const widenedA = isByteA && productLayout(method).aBytes === 2 ? (laneA === "i8" ? "signed" : "unsigned") : null;
    return { method, offsetA: 0, offsetB: 0, widenedA };
  };
  if (laneB === "i16") return wide("wide");
  if (!isByteA || family === "simd") return wide("simd");
  const [offsetA, offsetB] = [offsetOf(step.a, facts), offsetOf(step.b, facts)];
  // An offset of b costs the sums of a's rows, one of a those of b's columns and a copy of a.
  if (offsetA === 0) return { method: "relaxed-a", offsetA, offsetB: 0, widenedA: null };
  if (offsetB !== null && laneA === "i8") return { method: "relaxed-b", offsetA: 0, offsetB, widenedA: null };
  return offsetA === null ? wide("simd") : { method: "relaxed-a", offsetA, offsetB: 0, widenedA: null };
}

/** By where the sums start: `hasBias` where the bias is taken into them. */
export function startsOf({ offsetA, offsetB }: Factors, hasBias: boolean): ProductStarts {
  const isOverColumns = offsetA !== 0 || hasBias;
  if (offsetB !== 0) return isOverColumns ? "both" : "row";
  return isOverColumns ? "column" : "none";
}

/** What brings a tensor's numbers into 0 to 127; null if nothing does. */
function offsetOf(name: string, facts: Facts): number | null {
  const { lo, hi } = facts.rangeOf(name);
  if (lo >= 0 && hi <= LARGEST_SEVEN) return 0;
  return lo >= -OFFSET && hi < OFFSET ? OFFSET : null;
}
