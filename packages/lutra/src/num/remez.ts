// Minimax polynomials by the Remez exchange (Remez 1934): the polynomial of degree 1 to 3 whose largest error on an interval is least.
// Works on t in [-1, 1] and extrema of a sampled error, refined; the result says what error it has there, which is no proof.

/** Coefficients of (x - centre)^k, ascending. */
export interface CentredPolynomial {
  readonly centre: number;
  readonly coefficients: readonly number[];
}

export interface MinimaxPolynomial extends CentredPolynomial {
  /** Largest |error| seen. */
  readonly error: number;
}

/** cos(pi k / (degree + 1)), ascending: the extrema of the Chebyshev polynomial, where the exchange starts. */
const CHEBYSHEV_EXTREMA: Readonly<Record<number, readonly number[]>> = {
  0: [-1, 1],
  1: [-1, 0, 1],
  2: [-1, -0.5, 0.5, 1],
  3: [-1, -Math.SQRT1_2, 0, Math.SQRT1_2, 1],
};

/** Points per interval between extrema of the sampled error. */
const SAMPLES = 200;
const MAX_EXCHANGES = 40;
/** The exchange ends when the largest error is this near to the levelled one. */
const LEVEL = 2 ** -30;

/**
 * The polynomial of a degree 0 to 3 nearest to f on [lo, hi] in the largest error; null where f is not finite.
 * @throws RangeError for other degrees or an empty interval
 */
export function minimaxPolynomial(
  f: (x: number) => number,
  lo: number,
  hi: number,
  degree: number,
): MinimaxPolynomial | null {
  const start = CHEBYSHEV_EXTREMA[degree];
  if (start === undefined) throw new RangeError(`the degree must be 0 to 3, got ${degree}`);
  if (!(lo < hi)) throw new RangeError(`the interval [${lo}, ${hi}] is empty`);
  const centre = lo + (hi - lo) / 2;
  const half = (hi - lo) / 2;
  const target = (t: number): number => f(Math.min(hi, Math.max(lo, centre + half * t)));
  let reference = start;
  let best = { coefficients: [] as readonly number[], error: Infinity };
  for (let exchange = 0; exchange < MAX_EXCHANGES; exchange++) {
    const { coefficients, level } = levelled(target, reference);
    const errorAt = (t: number): number => target(t) - horner(coefficients, t);
    const extrema = alternating(errorAt, degree + 2);
    const error = Math.max(...extrema.map((t) => Math.abs(errorAt(t))));
    if (!(error < Infinity)) return null;
    if (error < best.error) best = { coefficients, error };
    if (extrema.length < degree + 2 || error <= Math.abs(level) * (1 + LEVEL)) break;
    reference = extrema;
  }
  const powers = powersOf(half, degree + 1);
  return { centre, coefficients: best.coefficients.map((c, k) => c / (powers[k] as number)), error: best.error };
}

/** 1, t, t^2, ... */
function powersOf(t: number, count: number): number[] {
  const powers: number[] = [];
  for (let power = 1; powers.length < count; power *= t) powers.push(power);
  return powers;
}

/** c0 + c1 t + c2 t^2 + ... */
function horner(coefficients: readonly number[], t: number): number {
  return coefficients.reduceRight((sum, c) => sum * t + c, 0);
}

/** The polynomial whose errors at degree + 2 points are level, -level, level, ... */
function levelled(
  target: (t: number) => number,
  points: readonly number[],
): { readonly coefficients: readonly number[]; readonly level: number } {
  const size = points.length;
  const rows = points.map((t, i) => {
    return [...powersOf(t, size - 1), i % 2 === 0 ? 1 : -1, target(t)];
  });
  const solution = solveLinear(rows);
  return { coefficients: solution.slice(0, -1), level: solution[size - 1] as number };
}

/** Gaussian elimination with partial pivoting on rows [a_1 ... a_n | b]. */
function solveLinear(rows: number[][]): number[] {
  const size = rows.length;
  const at = (r: number, c: number): number => rows[r]?.[c] as number;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let r = column + 1; r < size; r++) if (Math.abs(at(r, column)) > Math.abs(at(pivot, column))) pivot = r;
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    for (let r = column + 1; r < size; r++) {
      const factor = at(r, column) / at(column, column);
      rows[r] = (rows[r] as number[]).map((value, c) => value - factor * at(column, c));
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let r = size - 1; r >= 0; r--) {
    let sum = at(r, size);
    for (let c = r + 1; c < size; c++) sum -= at(r, c) * (solution[c] as number);
    solution[r] = sum / at(r, r);
  }
  return solution;
}

/** Extrema of an error on [-1, 1] with alternating signs, ascending: as many as asked for, the largest among them, or fewer. */
function alternating(errorAt: (t: number) => number, count: number): readonly number[] {
  const samples = SAMPLES * count;
  const place = (i: number): number => -1 + (2 * i) / samples;
  const found: { t: number; error: number }[] = [];
  for (let i = 0; i <= samples; i++) {
    const sample = { t: place(i), error: errorAt(place(i)) };
    const last = found.at(-1);
    if (last === undefined || last.error * sample.error < 0) found.push(sample);
    else if (!(Math.abs(sample.error) <= Math.abs(last.error))) found[found.length - 1] = sample;
  }
  const refined = found.map(({ t }) => refine(errorAt, t, 2 / samples));
  while (refined.length > count) {
    const [first, last] = [refined[0], refined.at(-1)] as [number, number];
    if (Math.abs(errorAt(first)) < Math.abs(errorAt(last))) refined.shift();
    else refined.pop();
  }
  return refined;
}

/** The extremum near t, by golden section in the samples beside it. */
function refine(errorAt: (t: number) => number, t: number, step: number): number {
  const size = (at: number): number => Math.abs(errorAt(at));
  let [lo, hi] = [Math.max(-1, t - step), Math.min(1, t + step)];
  for (let i = 0; i < 40; i++) {
    const left = hi - GOLDEN * (hi - lo);
    const right = lo + GOLDEN * (hi - lo);
    if (size(left) > size(right)) hi = right;
    else lo = left;
  }
  return [t, (lo + hi) / 2, -1, 1]
    .filter((at) => Math.abs(at - t) <= step)
    .reduce((best, at) => (size(at) > size(best) ? at : best));
}

/** (sqrt(5) - 1) / 2 */
const GOLDEN = 0.6180339887498949;
