// Histograms of real inputs: what a layer sees. Recorded by the top 16 bits of binary32, so no range need be known beforehand.

import { fromBits32 } from "./float.ts";

/** Counts between edges. `edges` has length n + 1, strictly increasing and finite; `counts` has length n, not negative. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Streaming recorder: 65,536 bins, one per bfloat16 prefix (relative width 2^-7). */
export interface HistogramRecorder {
  add(values: ArrayLike<number>): void;
  /** Values seen that are NaN or infinite; they enter no bin. */
  readonly notFinite: number;
  readonly total: number;
  /** Occupied bins only, with empty gaps merged into one bin of count 0. Null if nothing finite was seen. */
  histogram(): Histogram | null;
}

export function histogramRecorder(): HistogramRecorder {
  const counts = new Float64Array(65536);
  const scratch = new Float32Array(4096);
  const bits = new Uint16Array(scratch.buffer);
  let total = 0;
  let notFinite = 0;
  return {
    add(values) {
      for (let start = 0; start < values.length; start += scratch.length) {
        const length = Math.min(scratch.length, values.length - start);
        for (let i = 0; i < length; i++) scratch[i] = values[start + i] as number;
        for (let i = 0; i < length; i++) {
          const prefix = bits[2 * i + 1] as number;
          if ((prefix & 0x7f80) === 0x7f80) notFinite++;
          else {
            counts[prefix] = (counts[prefix] as number) + 1;
            total++;
          }
        }
      }
    },
    get notFinite() {
      return notFinite;
    },
    get total() {
      return total;
    },
    histogram: () => fromPrefixCounts(counts),
  };
}

/** Bins in the order of the number line: key k >= 0 is prefix k, key -1 - k is the negative prefix 0x8000 + k. */
function fromPrefixCounts(counts: Float64Array): Histogram | null {
  const countAt = (key: number): number => counts[key >= 0 ? key : 0x8000 - 1 - key] as number;
  const lowEdge = (key: number): number => (key >= 0 ? fromBits32(key * 65536) : -fromBits32(-key * 65536));
  const edges: number[] = [];
  const kept: number[] = [];
  let end = Number.NaN;
  for (let key = -0x7f80; key < 0x7f80; key++) {
    const count = countAt(key);
    if (count === 0) continue;
    const start = lowEdge(key);
    if (edges.length === 0) edges.push(start);
    else if (end < start) {
      kept.push(0);
      edges.push(start);
    }
    kept.push(count);
    end = lowEdge(key + 1);
    edges.push(Math.min(end, 3.4028234663852886e38));
  }
  return edges.length === 0 ? null : { edges, counts: kept };
}

/** Share of the histogram's mass in [lo, hi), each bin's mass spread evenly over its width. */
export function massBetween({ edges, counts }: Histogram, lo: number, hi: number): number {
  let inside = 0;
  let total = 0;
  counts.forEach((count, i) => {
    const start = edges[i] as number;
    const end = edges[i + 1] as number;
    total += count;
    const overlap = Math.min(hi, end) - Math.max(lo, start);
    if (overlap > 0) inside += (count * overlap) / (end - start);
  });
  return total === 0 ? 0 : inside / total;
}

/** The counts of several histograms together, over the edges of all; a bin that is cut leaves its count to the parts by their widths. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const edges = [...new Set(histograms.flatMap((one) => one.edges))].sort((a, b) => a - b);
  const counts = new Array<number>(Math.max(0, edges.length - 1)).fill(0);
  for (const one of histograms) {
    let bin = 0;
    for (let i = 0; i < counts.length; i++) {
      const [start, end] = [edges[i] as number, edges[i + 1] as number];
      while (bin < one.counts.length && (one.edges[bin + 1] as number) <= start) bin++;
      if (bin === one.counts.length) break;
      const [from, to] = [one.edges[bin] as number, one.edges[bin + 1] as number];
      if (start >= from)
        counts[i] = (counts[i] as number) + ((one.counts[bin] as number) * (end - start)) / (to - from);
    }
  }
  return { edges, counts };
}
