// The exact rounding errors of one addition and one multiplication: an unevaluated sum high + low has twice the precision. Without
// allocation: the caller computes the rounded result and asks for its error.

/** a + b - sum exactly, for sum = fl(a + b) (Knuth's two-sum; any order of magnitudes, no overflow). */
export function sumError(a: number, b: number, sum: number): number {
  const bb = sum - a;
  return a - (sum - bb) + (b - bb);
}

/** 2^27 + 1 splits a binary64 into two halves of 26 bits (Veltkamp). */
const SPLITTER = 134217729;

/** a * b - product exactly, for product = fl(a * b) (Dekker). Needs |a|, |b| < 2^996 and a product that does not underflow. */
export function productError(a: number, b: number, product: number): number {
  const aSplit = a * SPLITTER;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * SPLITTER;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
