// Spec, Problem, Table: plain JSON data. A Table holds codes only; its meaning is `evaluate(table, code)`, bit for bit.

import type { Format, Histogram, Interval } from "../num/index.ts";

/** What something executable should compute. */
export interface Spec {
  /** Text that fn/ parses: "gelu", "x*sigmoid(1.702*x)", "softmax". */
  readonly fn: string;
  /** Real inputs the error is measured and certified over; may be infinite. Outside it the table still answers. */
  readonly domain: Interval;
  readonly input: Format;
  readonly output: Format;
  /** Longest row, for functions of a row. */
  readonly maxRow?: number;
}

export type Norm = "max" | "relative" | "ulp" | "mse";

/** The line a table must follow beyond its fitted range: value = slope * x + intercept. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/**
 * What the table says outside the fitted domain: "clamp" answers as at the end of the domain, "extend" continues the outermost
 * segment's line, a Line is that line (GELU: 0 below, x above).
 */
export type Tail = "clamp" | "extend" | Line;

/**
 * What a table must keep, whatever it costs:
 *   zero        the answer at 0 is exactly f(0), which must be a value of the output format
 *   symmetric   f's own symmetry in |x| (odd, even, reflect or complement), by a reduction that is added if there is none
 *   power-of-two-breakpoints  each breakpoint is 0 or plus or minus a power of two: in value for floats, in code - zeroPoint for
 *               integers (the same where the scale is a power of two)
 *   breakpoints exactly these, ascending: as many segments as there are intervals between and beside them
 *   continuous  neighbouring lines meet at the first code of the right one: integer tables exactly, binary32 within its rounding
 *   monotone    delivered answers never fall where f rises, over all points (f must rise or fall throughout)
 * Breakpoints are about the reduced argument: behind a symmetry about |x| (odd, even) or -|x| (reflect, complement). Behind odd and
 * complement, continuous and monotone keep f(0) too: there the halves meet. A given tail line meets its neighbour up to the last
 * place of an integer table's coefficients.
 */
export type Constraint =
  | "zero"
  | "symmetric"
  | "power-of-two-breakpoints"
  | "continuous"
  | "monotone"
  | { readonly breakpoints: readonly number[] };

/** The reproducible question that fit answers. Only fit reads the part beyond `spec`. */
export interface Problem {
  readonly spec: Spec;
  /** Lines are counted everywhere: a tail that is a Line of its own is one of the segments. */
  readonly size: { readonly segments: number } | { readonly maxError: number };
  readonly norm: Norm;
  /** Floor of the relative norm: |error| / max(|f|, floor). */
  readonly floor?: number;
  /** The inputs that count: lo, lo + step, ... below hi. If absent: every code of the input format inside the domain. */
  readonly grid?: { readonly lo: number; readonly hi: number; readonly step: number };
  /** Weight of the inputs; uniform if absent. */
  readonly histogram?: Histogram;
  /** Formats of the stored slopes and intercepts, as real numbers (s16.6: multiples of 2^-6); binary32 or free if absent. */
  readonly coefficients?: { readonly slope: Format; readonly intercept: Format };
  readonly tails: readonly [below: Tail, above: Tail];
  /** Range reductions to apply around the fit, by the function's own identities; [] for none. */
  readonly reductions: readonly Reduction[];
  /** What the table must keep; nothing if absent. */
  readonly keep?: readonly Constraint[];
  /**
   * Input formats that one set of stored coefficients must serve, each with breakpoints of its own (GQA-LUT's deployment): integers
   * without zero points, from the coarsest to the finest scale, each a power of two below the first, which is the input of `spec`.
   * The norm is then the mean of that of each scale over its codes in the domain.
   */
  readonly scales?: readonly Format[];
}

/**
 * How an input is brought into the table's own range, and how the answer is carried back. binary32, each operation rounded.
 * T is the rest of the table, x the input, all constants binary32:
 *   odd         f(-x) = -f(x)         y = x < 0 ? -T(-x) : T(x)
 *   even        f(-x) = f(x)          y = T(|x|)
 *   reflect     f(x) = x + f(-x)      y = T(-|x|) + max(x, 0)
 *   complement  f(x) = 1 - f(-x)      y = x > 0 ? 1 - T(-|x|) : T(-|x|)
 *   octave      f(x 2^(step j)) = f(x) 2^(power j): x clamped to [2^-126, 2^128), m = x 2^(-step j) in [1, 2^step), y = T(m) 2^(power j)
 *   logarithm   f(x 2^j) = f(x) + perOctave j: x clamped likewise, m in [1, 2), y = T(m) + perOctave * j
 *   exponential f(x) = 2^(factor x) : z = factor * x, j = floor(z), y = T(z - j) 2^j; 0 when j < -126, Infinity when j > 127
 * A NaN gives a NaN.
 */
export type Reduction =
  | { readonly by: "odd" }
  | { readonly by: "even" }
  | { readonly by: "reflect" }
  | { readonly by: "complement" }
  | { readonly by: "octave"; readonly step: 1 | 2; readonly power: -1 | 1 }
  | { readonly by: "logarithm"; readonly perOctave: number }
  | { readonly by: "exponential"; readonly factor: number };

/**
 * Which segment an argument t belongs to, 0 to n - 1; the first and last segment extend without end.
 *   direct       t - first, one entry per code (integers; degree 0)
 *   uniform      floor((t - first) / width), width a power of two; binary32: t - first rounds first (Huang et al. algorithm 1, corrected)
 *   breakpoints  the number of codes <= t; strictly increasing, length n - 1
 *   float-bits   floor(key(t) / 2^shift) - first, key = the position of t among the binary32 values (toOrdered32)
 *   nested       sub-intervals that begin at ascending codes, each cut evenly (Huang et al. 2022, section 4.5): with p the number of
 *                codes <= t, the segments of the sub-intervals before p, and floor((t - start) * scales[p]) of the counts[p] of its
 *                own, clamped to these; start = codes[p - 1], or first for p = 0. Difference and product are rounded to binary32
 */
export type Index =
  | { readonly rule: "direct"; readonly first: number }
  | { readonly rule: "uniform"; readonly first: number; readonly width: number }
  | { readonly rule: "breakpoints"; readonly codes: readonly number[] }
  | { readonly rule: "float-bits"; readonly first: number; readonly shift: number }
  | NestedIndex;

/** The rule "nested": n sub-intervals have n - 1 codes, n scales (segments per unit of the argument, positive) and n counts. */
export interface NestedIndex {
  readonly rule: "nested";
  readonly first: number;
  readonly codes: readonly number[];
  readonly scales: readonly number[];
  readonly counts: readonly number[];
}

export type Rounding = "floor" | "half-up" | "half-even";

/**
 * A lookup table. With t the reduced argument, clamped, and i its segment:
 *   integer    y = saturate(round((coefficients[1][i] * t + coefficients[0][i]) / 2^shift)) in output codes
 *   binary32   y = coefficients[1][i] * t + coefficients[0][i], product and sum rounded separately; then rounded to the output format
 * `coefficients[d][i]` belongs to degree d and segment i; degree 1 is absent for constant segments.
 */
export interface Table {
  readonly spec: Spec;
  /** Outermost first. Binary32 only, but for odd and even. */
  readonly reductions: readonly Reduction[];
  /** The reduced argument is clamped to [low, high] before anything else; infinite where not clamped. */
  readonly clamp: readonly [low: number, high: number];
  readonly index: Index;
  readonly coefficients: readonly (readonly number[])[];
  /** Integer tables only, else 0. */
  readonly shift: number;
  readonly rounding: Rounding;
  /** What hardware stores instead of lines, where these only interpolate: so many function values of so many bits. */
  readonly entries?: { readonly count: number; readonly bits: number };
  /**
   * One set of coefficients at several input scales (GQA-LUT's deployment): each scale has its own breakpoints, and the
   * intercept is shifted left by `interceptShift`. `atScale(table, i)` is the plain table of one of them. The table itself is that
   * of the first. Breakpoints may coincide here: at a coarse scale some segments have no codes.
   */
  readonly scales?: readonly ScaleVariant[];
}

export interface ScaleVariant {
  readonly input: Format;
  readonly clamp: readonly [low: number, high: number];
  readonly index: Index;
  readonly interceptShift: number;
  readonly shift: number;
}
