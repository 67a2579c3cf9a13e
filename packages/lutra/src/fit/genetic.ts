// GQA-LUT (Dong et al., DAC 2024), as its public trainer does it: breakpoints evolve, lines are the chords between them, slope and
// intercept rounded to what is stored. Breakpoints are real while they are searched and become codes of each scale afterwards.
// Differences: a generator of our own, and normal noise from twelve uniform numbers.

import { LutraError, type Work } from "../base/index.ts";
import { type Interval, type Random, random, roundHalfEven } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { chordsOf, meanSquare } from "./genetic-chords.ts";
import { evolve } from "./genetic-search.ts";
import { chosenParameters, type WholeNumber } from "./parameters.ts";
import { BREAKPOINT_ROUNDING, deliverReal, searchedPoints, searchedProblem, searchedRange } from "./real-lines.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. `breakpointRounding`: as published, or as it should be. */
export const GENETIC: {
  readonly breakpointRounding: typeof BREAKPOINT_ROUNDING;
  readonly generations: WholeNumber;
  readonly population: WholeNumber;
} = {
  breakpointRounding: BREAKPOINT_ROUNDING,
  generations: { least: 1, greatest: 1_000_000, default: 500 },
  population: { least: 2, greatest: 10_000, default: 50 },
};

/**
 * The best table of the last generation. Its mean square over the problem's points, at real breakpoints, is what evolves, whatever the
 * norm; for several scales, over steps of 0.01 in the domain, as published. The range of 1/x and 1/sqrt is extended by the reduction "octave", which
 * scales the input by powers of two as GQA-LUT's sub-ranges do.
 */
export function* genetic(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { breakpointRounding, generations, population } = chosenParameters(options, GENETIC);
  const task = prepare(searchedProblem(problem));
  const { ends, span, rounding } = settingsFor(task);
  checkEnds(task, ends);
  const breakpoints = yield* evolve(
    {
      genes: task.segments - 1,
      span,
      population,
      generations,
      mutate: (genes, source) => mutate(genes, rounding, span, source),
      fitness: meanSquare(task, searchedPoints(task), ends),
    },
    random(options.seed),
  );
  return deliverReal(problem, { breakpoints, pieces: chordsOf(task, ends, breakpoints) }, breakpointRounding);
}

// settings ------------------------------------------------------------------------------------------------------------

interface Settings {
  /** Where the outermost chords end. */
  readonly ends: Interval;
  /** Where breakpoints may lie. */
  readonly span: Interval;
  /** Decimal places, in bits, that a mutation rounds to; null for none. */
  readonly rounding: { readonly from: number; readonly to: number } | null;
}

/** Ends so far out that chords become GELU's asymptotes once rounded. */
const FAR: Interval = { lo: -10000, hi: 10000 };
const ALL_PRECISIONS = { from: 0, to: 6 };
const FINE_PRECISIONS = { from: 2, to: 6 };

/** What the public trainer and its Makefile set by hand, for a range as theirs. */
const PUBLISHED: Readonly<Record<string, Partial<Settings>>> = {
  "gelu [-4, 4] 8": { rounding: FINE_PRECISIONS },
  "hard-swish [-4, 4] 16": { rounding: FINE_PRECISIONS },
  "exp [-8, 0] 8": { ends: { lo: -16, hi: 0 } },
  "exp [-8, 0] 16": { ends: { lo: -16, hi: 0 }, span: { lo: -6.5, hi: 0 } },
  "reciprocal [0.5, 4] 8": { span: { lo: 0.625, hi: 3.875 } },
  "reciprocal [0.5, 4] 16": { span: { lo: 0.625, hi: 3.875 } },
  "rsqrt [0.25, 4] 8": { span: { lo: 0.25, hi: 3.875 } },
  "rsqrt [0.25, 4] 16": { span: { lo: 0.25, hi: 3.875 } },
};
/** Functions whose breakpoints are never rounded by mutation. */
const UNROUNDED: readonly string[] = ["reciprocal", "rsqrt"];

/** The published settings; for other questions their pattern: far ends for a range about 0 with asymptotes on both sides, else its own. */
function settingsFor(task: Task): Settings {
  const { fn, problem, segments } = task;
  const range = searchedRange(task);
  const levelsOff = fn.asymptotes.every((line) => line !== null) && range.lo < 0 && range.hi > 0;
  const isFar = levelsOff && problem.reductions.length === 0;
  return {
    ends: isFar ? FAR : range,
    span: range,
    rounding: UNROUNDED.includes(fn.text) ? null : ALL_PRECISIONS,
    ...PUBLISHED[`${fn.text} [${range.lo}, ${range.hi}] ${segments}`],
  };
}

function checkEnds({ fn }: Task, { lo, hi }: Interval): void {
  const bad = [lo, hi].find((x) => !Number.isFinite(fn.evaluate(x)));
  if (bad === undefined) return;
  throw new LutraError("infeasible", `${fn.text} is not finite at x = ${bad}`, {
    note: "a chord needs values at both ends of its segment; choose a smaller domain",
  });
}

// mutation ------------------------------------------------------------------------------------------------------------

/** Probability of each precision, from that of 2^0 up. */
const ROUNDING_PROBABILITY = 0.05;
const NOISE_PROBABILITY = 0.1;
const NOISE_DEVIATION = 0.2;

/**
 * Rounding mutation as the code has it: for every breakpoint and every precision j a number is drawn; the j-th twentieth of [0, 1)
 * rounds to 2^-j, the last tenth adds noise. Without rounding one draw per breakpoint decides about noise.
 */
function mutate(genes: Float64Array, rounding: Settings["rounding"], span: Interval, source: Random): void {
  const { from, to } = rounding ?? { from: 0, to: 0 };
  for (let i = 0; i < genes.length; i++) {
    let p = genes[i] as number;
    for (let j = from; j <= to; j++) {
      const draw = source.uniform();
      const rounds = draw >= ROUNDING_PROBABILITY * j && draw < ROUNDING_PROBABILITY * (j + 1);
      if (rounding !== null && rounds) p = clampTo(span, roundHalfEven(p * 2 ** j) / 2 ** j);
      else if (draw >= 1 - NOISE_PROBABILITY) p += NOISE_DEVIATION * source.normal();
    }
    genes[i] = clampTo(span, p);
  }
}

function clampTo({ lo, hi }: Interval, x: number): number {
  return Math.min(hi, Math.max(lo, x));
}
