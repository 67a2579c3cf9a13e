// Training a net of one input, sum of m relu(n x + b): mean absolute error, Adam, learning rate falling along a cosine.
// Such a net is a line between the breakpoints -b/n, so the gradient over a sorted batch needs two sums per line and no loop over units.

import type { Work } from "../base/index.ts";
import type { Random } from "../num/index.ts";

/** Units m relu(n x + b), no bias of the output. Arrays of equal length. */
export interface ReluNet {
  readonly n: Float64Array;
  readonly b: Float64Array;
  readonly m: Float64Array;
}

export interface Training {
  readonly steps: number;
  readonly batch: number;
  readonly samples: number;
}

/** Adam's constants (Kingma and Ba 2015, algorithm 1), and NN-LUT's learning rate. */
const RATE = 1e-3;
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;
const STEPS_PER_TURN = 500;

/** Trains a net in place on inputs as `draw` gives them. Each batch stays together and is sorted; their order is drawn anew each epoch. */
export function* train(
  net: ReluNet,
  f: (x: number) => number,
  draw: () => number,
  { steps, batch, samples }: Training,
  random: Random,
): Work<void> {
  const batches = drawBatches(f, draw, Math.ceil(samples / batch), batch);
  const order = batches.map((_, k) => k);
  const gradient = new Gradient(net);
  const adam = new Adam([net.n, net.b, net.m]);
  for (let step = 0; step < steps; step++) {
    if (step % STEPS_PER_TURN === 0) yield { stage: "relu-net: training", done: step, total: steps };
    const turn = step % order.length;
    if (turn === 0) shuffle(order, random);
    gradient.compute(batches[order[turn] as number] as Batch);
    adam.step([gradient.n, gradient.b, gradient.m], RATE * cosine(step / steps));
  }
}

/** (1 + cos(pi t)) / 2 = sin(pi (1 - t) / 2)^2 for t in [0, 1], to 1e-7: the sine by 7 terms of its Taylor series, so in every engine. */
function cosine(t: number): number {
  const x = (Math.PI / 2) * (1 - t);
  const q = x * x;
  let term = x;
  let sine = x;
  for (let k = 2; k <= 12; k += 2) {
    term *= -q / (k * (k + 1));
    sine += term;
  }
  return sine * sine;
}

// samples -------------------------------------------------------------------------------------------------------------

/** Ascending inputs and the function there. */
interface Batch {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

function drawBatches(f: (x: number) => number, draw: () => number, count: number, size: number): Batch[] {
  return Array.from({ length: count }, () => {
    const x = Float64Array.from({ length: size }, draw).sort();
    return { x, y: x.map(f) };
  });
}

/** Fisher and Yates. */
function shuffle(order: number[], random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
}

// gradient ------------------------------------------------------------------------------------------------------------

/**
 * Of the mean absolute error over a batch. With s = sign(net - f) / count, d/dn = m S1, d/db = m S0 and d/dm = n S1 + b S0, where
 * S0 and S1 are the sums of s and s x over the samples at which the unit is positive: those right of -b/n (n > 0) or left of it.
 */
class Gradient {
  readonly n: Float64Array;
  readonly b: Float64Array;
  readonly m: Float64Array;
  private readonly net: ReluNet;
  /** Units by ascending breakpoint, and their breakpoints. */
  private readonly order: Int32Array;
  private readonly breaks: Float64Array;
  /** Sums of s and s x left of each breakpoint, and of all at the end. */
  private readonly sums: Float64Array;
  private readonly moments: Float64Array;

  constructor(net: ReluNet) {
    const units = net.n.length;
    this.net = net;
    this.n = new Float64Array(units);
    this.b = new Float64Array(units);
    this.m = new Float64Array(units);
    this.order = Int32Array.from({ length: units }, (_, i) => i);
    this.breaks = new Float64Array(units);
    this.sums = new Float64Array(units + 1);
    this.moments = new Float64Array(units + 1);
  }

  compute(batch: Batch): void {
    const { n, b, m } = this.net;
    this.sortUnits();
    this.sumSigns(batch);
    const units = n.length;
    const count = batch.x.length;
    const [all, allMoments] = [this.sums[units] as number, this.moments[units] as number];
    for (let k = 0; k < units; k++) {
      const i = this.order[k] as number;
      const left = (n[i] as number) < 0;
      const s0 = (left ? (this.sums[k] as number) : all - (this.sums[k] as number)) / count;
      const s1 = (left ? (this.moments[k] as number) : allMoments - (this.moments[k] as number)) / count;
      this.n[i] = (m[i] as number) * s1;
      this.b[i] = (m[i] as number) * s0;
      this.m[i] = (n[i] as number) * s1 + (b[i] as number) * s0;
    }
  }

  /** Insertion: breakpoints hardly change their order from step to step. */
  private sortUnits(): void {
    const { order, breaks, net } = this;
    for (let k = 0; k < order.length; k++) {
      const unit = order[k] as number;
      const at = breakOf(net, unit);
      let j = k;
      for (; j > 0 && (breaks[j - 1] as number) > at; j--) {
        breaks[j] = breaks[j - 1] as number;
        order[j] = order[j - 1] as number;
      }
      breaks[j] = at;
      order[j] = unit;
    }
  }

  /** Walks the batch line by line. */
  private sumSigns({ x, y }: Batch): void {
    const { order, breaks, sums, moments, net } = this;
    const count = x.length;
    let slope = 0;
    let intercept = 0;
    for (let i = 0; i < order.length; i++) {
      if ((net.n[i] as number) >= 0) continue;
      slope += (net.m[i] as number) * (net.n[i] as number);
      intercept += (net.m[i] as number) * (net.b[i] as number);
    }
    let sum = 0;
    let moment = 0;
    for (let k = 0, j = 0; k <= order.length; k++) {
      const end = k < order.length ? (breaks[k] as number) : Infinity;
      for (; j < count && (x[j] as number) < end; j++) {
        const error = slope * (x[j] as number) + intercept - (y[j] as number);
        const sign = error > 0 ? 1 : error < 0 ? -1 : 0;
        sum += sign;
        moment += sign * (x[j] as number);
      }
      sums[k] = sum;
      moments[k] = moment;
      if (k === order.length) return;
      const i = order[k] as number;
      const turnsOn = (net.n[i] as number) < 0 ? -1 : 1;
      slope += turnsOn * (net.m[i] as number) * (net.n[i] as number);
      intercept += turnsOn * (net.m[i] as number) * (net.b[i] as number);
    }
  }
}

/** Where a unit turns on (n >= 0) or off (n < 0): -b/n; a constant unit has been on for ever, or never is. */
export function breakOf({ n, b }: ReluNet, i: number): number {
  if (n[i] !== 0) return -(b[i] as number) / (n[i] as number);
  return (b[i] as number) > 0 ? -Infinity : Infinity;
}

// Adam ----------------------------------------------------------------------------------------------------------------

class Adam {
  private readonly parameters: readonly Float64Array[];
  private readonly first: readonly Float64Array[];
  private readonly second: readonly Float64Array[];
  private decay1 = 1;
  private decay2 = 1;

  constructor(parameters: readonly Float64Array[]) {
    this.parameters = parameters;
    this.first = parameters.map((p) => new Float64Array(p.length));
    this.second = parameters.map((p) => new Float64Array(p.length));
  }

  step(gradients: readonly Float64Array[], rate: number): void {
    this.decay1 *= BETA_1;
    this.decay2 *= BETA_2;
    const scale1 = rate / (1 - this.decay1);
    const scale2 = 1 / (1 - this.decay2);
    this.parameters.forEach((p, k) => {
      const g = gradients[k] as Float64Array;
      const m = this.first[k] as Float64Array;
      const v = this.second[k] as Float64Array;
      for (let i = 0; i < p.length; i++) {
        const gi = g[i] as number;
        const mi = BETA_1 * (m[i] as number) + (1 - BETA_1) * gi;
        const vi = BETA_2 * (v[i] as number) + (1 - BETA_2) * gi * gi;
        m[i] = mi;
        v[i] = vi;
        p[i] = (p[i] as number) - (scale1 * mi) / (Math.sqrt(vi * scale2) + EPSILON);
      }
    });
  }
}
