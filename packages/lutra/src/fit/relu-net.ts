// NN-LUT (Yu et al., DAC 2022): a net of N - 1 ReLU units learns the function and is converted to a table of N entries, exactly.
// What the paper leaves open is set as follows: 45,000 steps of 2,048 inputs, the learning rate falling along a cosine, units drawn as
// said at `drawNet`. Its FP32, FP16 and INT32 forms are the problem's formats; coefficients are rounded one by one.

import { LutraError, type Work } from "../base/index.ts";
import { type Histogram, type Interval, MAX_BINARY32, type Random, random } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { chosenParameters, type WholeNumber } from "./parameters.ts";
import { linePiece, type Piece } from "./pwl.ts";
import { BREAKPOINT_ROUNDING, deliverReal, type RealLines, searchedProblem, searchedRange } from "./real-lines.ts";
import { fold } from "./reduce.ts";
import { breakOf, type ReluNet, type Training, train } from "./relu-net-train.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. `samples` are drawn once; a step looks at `batch` of them. */
export const RELU_NET: {
  readonly breakpointRounding: typeof BREAKPOINT_ROUNDING;
  readonly steps: WholeNumber;
  readonly batch: WholeNumber;
  readonly samples: WholeNumber;
} = {
  breakpointRounding: BREAKPOINT_ROUNDING,
  steps: { least: 1, greatest: 10_000_000, default: 45_000 },
  batch: { least: 1, greatest: 1_000_000, default: 2048 },
  samples: { least: 1, greatest: 10_000_000, default: 100_000 },
};

/**
 * The table of a trained net. It learns from inputs spread evenly over the domain; with a histogram it goes on learning from inputs drawn
 * as often as that says, NN-LUT's calibration, and the best of several nets is taken. The range of 1/x and 1/sqrt is extended by the reduction "octave": input scaling by powers of
 * two. A tail that is a line takes over at the end of the domain.
 */
export function* reluNet(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { breakpointRounding, ...training } = chosenParameters(options, RELU_NET);
  const task = prepare(problem.scales === undefined ? problem : searchedProblem(problem));
  const tails = task.tails.filter((tail) => typeof tail === "object").length;
  const units = task.segments - tails - 1;
  if (units < 0) {
    throw new LutraError(
      "infeasible",
      `relu-net needs a segment besides its tails, got ${task.segments} with ${tails}`,
    );
  }
  const range = searchedRange(task);
  const { histogram } = problem;
  const learner = { task, range, units, training };
  const net =
    histogram === undefined
      ? yield* learn(learner, random(options.seed))
      : yield* calibrated(learner, histogram, options.seed);
  return deliverReal(problem, withTails(task, range, linesOf(net)), breakpointRounding);
}

interface Learner {
  readonly task: Task;
  readonly range: Interval;
  readonly units: number;
  readonly training: Training;
}

/** A net drawn and trained on inputs spread evenly over the range. */
function* learn({ task, range, units, training }: Learner, source: Random): Work<ReluNet> {
  const isReduced = task.problem.reductions.length > 0;
  const net = isReduced ? drawInside(range, units, source) : drawNet(task.fn.text, range, units, source);
  yield* train(net, task.fn.evaluate, () => range.lo + (range.hi - range.lo) * source.uniform(), training, source);
  return net;
}

/** Nets that calibration chooses from: of one drawing, the last breakpoints often leave the range and never come back. */
const CALIBRATED_NETS = 8;
/** Inputs that they are compared at. */
const COMPARED_AT = 10_000;

/** The net that an uncalibrated fit finds and others like it, each trained on; the one that is nearest to f at the inputs seen. */
function* calibrated(learner: Learner, histogram: Histogram, seed: number): Work<ReluNet> {
  const { task, range, training } = learner;
  const judge = drawSeen(task, range, histogram, random(seed));
  const seen = Float64Array.from({ length: COMPARED_AT }, judge).sort();
  let best: ReluNet | null = null;
  let least = Infinity;
  for (let i = 0; i < CALIBRATED_NETS; i++) {
    const source = random(seed + i);
    const net = yield* learn(learner, source);
    yield* train(net, task.fn.evaluate, drawSeen(task, range, histogram, source), training, source);
    const error = meanError(linesOf(net), task.fn.evaluate, seen);
    if (best === null || error < least) [best, least] = [net, error];
  }
  return best as ReluNet;
}

/** Mean absolute error of lines at ascending inputs. */
function meanError({ breakpoints, pieces }: RealLines, f: (x: number) => number, inputs: Float64Array): number {
  let sum = 0;
  let k = 0;
  for (const x of inputs) {
    while (k < breakpoints.length && (breakpoints[k] as number) <= x) k++;
    const { slope, x: at, y } = pieces[k] as Piece;
    sum += Math.abs(y + slope * (x - at) - f(x));
  }
  return sum / inputs.length;
}

/** Functions whose units have one sign, so that all breakpoints begin on the range's side of 0 (NN-LUT, initialisation by function). */
const ONE_SIDED: ReadonlySet<string> = new Set(["exp", "exp2", "reciprocal", "rsqrt"]);
const LEAST_WEIGHT = 0.01;

/** n and b normal; where their signs are prescribed, of magnitudes between 0.01 and 1. m normal with variance 1 / units. */
function drawNet(fn: string, range: Interval, units: number, source: Random): ReluNet {
  const side = range.lo >= 0 ? -1 : range.hi <= 0 ? 1 : undefined;
  const sign = ONE_SIDED.has(fn) ? side : undefined;
  const magnitude = (): number => LEAST_WEIGHT + (1 - LEAST_WEIGHT) * source.uniform();
  const draw = (one: () => number): Float64Array => Float64Array.from({ length: units }, one);
  return {
    n: draw(() => (sign === undefined ? source.normal() : sign * magnitude())),
    b: draw(() => (sign === undefined ? source.normal() : magnitude())),
    m: draw(() => source.normal() / Math.sqrt(units)),
  };
}

/**
 * Behind a reduction, where no published range holds, breakpoints are drawn evenly from the range: as `drawNet` draws them, hardly one
 * would fall into [1, 2).
 */
function drawInside({ lo, hi }: Interval, units: number, source: Random): ReluNet {
  const n = Float64Array.from({ length: units }, () => (source.uniform() < 0.5 ? -1 : 1) / (hi - lo));
  const b = n.map((slope) => -slope * (lo + (hi - lo) * source.uniform()));
  return { n, b, m: Float64Array.from({ length: units }, () => source.normal() / Math.sqrt(units)) };
}

/** Draws inputs of the net as often as those of a histogram get there through the reductions. */
function drawSeen({ problem }: Task, { lo, hi }: Interval, histogram: Histogram, source: Random): () => number {
  const draw = drawFrom(histogram, problem.spec.domain, source);
  return () => Math.min(hi, Math.max(lo, fold(problem.reductions, draw()).t));
}

/** Draws from the part of a histogram inside a domain. @throws LutraError "bad-data" if there is none */
function drawFrom({ edges, counts }: Histogram, { lo, hi }: Interval, source: Random): () => number {
  const sums = new Float64Array(counts.length);
  let total = 0;
  counts.forEach((count, i) => {
    const inside = Math.min(hi, edges[i + 1] as number) - Math.max(lo, edges[i] as number);
    total += inside > 0 ? (count * inside) / ((edges[i + 1] as number) - (edges[i] as number)) : 0;
    sums[i] = total;
  });
  if (!(total > 0)) throw new LutraError("bad-data", `the histogram has no inputs in [${lo}, ${hi}]`);
  return () => {
    const bin = firstAbove(sums, total * source.uniform());
    const from = Math.max(lo, edges[bin] as number);
    return from + (Math.min(hi, edges[bin + 1] as number) - from) * source.uniform();
  };
}

/** Position of the first of ascending sums above a mass. */
function firstAbove(sums: Float64Array, mass: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mass < (sums[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

// conversion ----------------------------------------------------------------------------------------------------------

/**
 * The lines of a net: between neighbouring breakpoints -b/n, the sums of m n and m b over the units that are positive there, be n
 * positive or negative. Units with n = 0 are constant; of coinciding breakpoints one is kept, of those beyond binary32 none.
 */
export function linesOf(net: ReluNet): RealLines {
  const breaks = Float64Array.from(net.n, (_, i) => breakOf(net, i));
  const breakpoints = [...new Set(breaks)].filter((d) => Math.abs(d) <= MAX_BINARY32).sort((a, b) => a - b);
  const pieces = [-MAX_BINARY32, ...breakpoints].map((from) => {
    let slope = 0;
    let intercept = 0;
    for (let i = 0; i < breaks.length; i++) {
      const isLeft = (breaks[i] as number) > from;
      if ((net.n[i] as number) < 0 !== isLeft) continue;
      slope += (net.m[i] as number) * (net.n[i] as number);
      intercept += (net.m[i] as number) * (net.b[i] as number);
    }
    return { slope, x: 0, y: intercept };
  });
  return { breakpoints, pieces };
}

/** Tails that are lines, beyond the ends of the range. The net's breakpoints out there go. */
function withTails({ tails }: Task, { lo, hi }: Interval, lines: RealLines): RealLines {
  const [below, above] = tails;
  let breakpoints = Array.from(lines.breakpoints);
  let pieces = [...lines.pieces];
  if (typeof below === "object") {
    const gone = breakpoints.filter((d) => d <= lo).length;
    breakpoints = [lo, ...breakpoints.slice(gone)];
    pieces = [linePiece(below), ...pieces.slice(gone)];
  }
  if (typeof above === "object") {
    const kept = breakpoints.filter((d) => d < hi).length;
    breakpoints = [...breakpoints.slice(0, kept), hi];
    pieces = [...pieces.slice(0, kept + 1), linePiece(above)];
  }
  return { breakpoints, pieces };
}
