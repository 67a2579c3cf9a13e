// What every method starts from: the reduced function, its finite range, the points that count, and the samples to measure at.
// Reductions are handled here and in deliver(), so that a method never sees them.

import { LutraError } from "../base/index.ts";
import { type Fn, parseFn } from "../fn/index.ts";
import { ceil32, codeRange, decode, floor32, type Interval, isEnumerable, iv } from "../num/index.ts";
import type { Problem, Tail } from "../table/index.ts";
import { type AllowedBorders, bordersAmong, bordersAtPoints } from "./borders.ts";
import { breakpointCodes, givenBreakpoints, keeps, valuesAtZero } from "./keep.ts";
import { errorWeight, type Samples, withinOutput } from "./norm.ts";
import { ascending, codesInside, evenly, gridCodes, masses, type Points, representatives, spread } from "./points.ts";
import { fold, type Reduced, reduceQuestion, unfold } from "./reduce.ts";
import { finiteRange } from "./window.ts";

export interface Task {
  readonly problem: Problem;
  /** Lines everywhere, tails that are lines included. */
  readonly segments: number;
  /** The reduced function. */
  readonly fn: Fn;
  /** The reduced arguments to fit over, finite. */
  readonly range: Interval;
  readonly tails: readonly [below: Tail, above: Tail];
  /** Ends of the range that stand for an unbounded domain. */
  readonly openEnds: readonly [below: boolean, above: boolean];
  readonly points: Points;
  readonly samples: Samples;
  /** The points in words. */
  readonly over: string;
  /** Further points at given reduced arguments, where `points` is only a subset (binary32); null where it is all there is. */
  readonly at: ((arguments_: Float64Array) => Measured) | null;
  /** The values that the line at 0 may have there, if f(0) is kept. The points then have 0 among them. */
  readonly zero: Interval | null;
  /** Where segments may begin; null for anywhere. */
  readonly borders: AllowedBorders | null;
}

/** Points and the samples they stand for. */
export interface Measured {
  readonly points: Points;
  readonly samples: Samples;
}

/** A problem with its functions and intervals resolved. */
interface Question {
  readonly problem: Problem;
  readonly outer: Fn;
  readonly domain: Interval;
  readonly reduced: Reduced;
  readonly zero: Interval | null;
  readonly breakpoints: readonly number[] | null;
}

type Chosen = Pick<Task, "range" | "points" | "samples" | "over" | "at">;

/** Points chosen from binary32 for a mean square; for a largest error so many per segment, within limits. */
const MASS_POINTS = 4096;
const POINTS_PER_SEGMENT = 1024;
const FEWEST_PER_SEGMENT = 16;
const LEAST_POINTS = 4096;
const COMMON_POINTS: number = 2 ** 16;
const MOST_POINTS: number = 2 ** 18;

/** The more points, the closer the bound over them to that over all binary32 values: a segment ends up to one spacing too late. */
function pointsFor(segments: number): number {
  const wanted = Math.min(COMMON_POINTS, Math.max(LEAST_POINTS, POINTS_PER_SEGMENT * segments));
  return Math.min(MOST_POINTS, Math.max(wanted, FEWEST_PER_SEGMENT * segments));
}

/** Prepares a problem that asks for a number of segments. @throws LutraError as `solve`, TypeError if it asks for an error */
export function prepare(problem: Problem): Task {
  if (!("segments" in problem.size)) throw new TypeError("a method needs a number of segments");
  if (problem.scales !== undefined) {
    throw new LutraError("unsupported", "this method makes tables for one input scale", {
      note: "use one of the methods that serve several: optimal, genetic, relu-net",
    });
  }
  const { segments } = problem.size;
  const { spec } = problem;
  const outer = parseFn(spec.fn);
  const domain = realDomain(problem, outer);
  const reduced = reduceQuestion(outer, problem.reductions, domain, problem.tails);
  const zero = valuesAtZero(problem, outer, reduced.fn, domain);
  const breakpoints = breakpointCodes(problem);
  const question: Question = { problem, outer, domain, reduced, zero, breakpoints };
  const listed = problem.grid !== undefined || isEnumerable(spec.input);
  const chosen = listed
    ? listedPoints(question)
    : problem.norm === "mse"
      ? massPoints(question)
      : spreadPoints(question, segments);
  if (zero !== null && !chosen.points.x.includes(0)) {
    throw new LutraError("bad-argument", "f(0) cannot be kept: 0 is not on the grid");
  }
  const openEnds = [reduced.domain.lo === -Infinity, reduced.domain.hi === Infinity] as const;
  const task = { problem, segments, fn: reduced.fn, tails: reduced.tails, openEnds, ...chosen, zero, borders: null };
  return breakpoints === null ? task : withBorders(task, breakpoints);
}

function withBorders(task: Task, codes: readonly number[]): Task {
  const borders = bordersAmong(task.points, codes, givenBreakpoints(task.problem) !== null);
  return { ...task, borders: keeps(task.problem, "continuous") ? bordersAtPoints(task.points, borders) : borders };
}

/** The task over other points. */
export function withPoints(task: Task, measured: Measured): Task {
  const moved = { ...task, ...measured };
  const codes = breakpointCodes(task.problem);
  return codes === null ? moved : withBorders(moved, codes);
}

/** Values that must be among the points chosen from a range: 0 where it is kept, and prescribed breakpoints. */
function required({ zero, breakpoints }: Question, { lo, hi }: Interval): number[] {
  return [...(zero === null ? [] : [0]), ...(breakpoints ?? [])].filter((x) => lo <= x && x <= hi);
}

/** The part of the domain where the function is defined and the input format has values. @throws LutraError if there is none */
function realDomain(problem: Problem, fn: Fn): Interval {
  const { domain, input } = problem.spec;
  const { lo, hi } = codeRange(input);
  const values = input.kind === "float" ? iv.EVERYTHING : { lo: decode(input, lo), hi: decode(input, hi) };
  const defined = iv.intersect(domain, fn.domain);
  const inside = defined === null ? null : iv.intersect(defined, values);
  if (inside !== null) return inside;
  throw new LutraError("bad-argument", `no input of ${fn.text} lies in the domain [${domain.lo}, ${domain.hi}]`, {
    note: `the function is defined on [${fn.domain.lo}, ${fn.domain.hi}]; the input format holds ${values.lo} to ${values.hi}`,
  });
}

// points that are given: a grid, or every code -----------------------------------------------------------------------

function listedPoints({ problem, outer, domain, reduced }: Question): Chosen {
  const { input } = problem.spec;
  const codes = problem.grid === undefined ? codesInside(input, domain) : gridCodes(problem.grid, input);
  if (codes.length === 0) {
    throw new LutraError("bad-argument", `no code of the input format lies in [${domain.lo}, ${domain.hi}]`);
  }
  const samples = weigh(problem, outer, codes);
  const points = foldSamples(problem, reduced.fn, samples);
  const whole = { lo: points.x[0] as number, hi: points.x[points.x.length - 1] as number };
  const range = input.kind === "integer" || problem.grid !== undefined ? whole : finiteRange(problem, reduced, whole);
  const over =
    problem.grid === undefined ? `all ${codes.length} codes in the domain` : `the ${codes.length} grid points`;
  return { points, samples, over, range, at: null };
}

/** Exact values and weights at ascending codes. @throws LutraError where the function is not finite */
function weigh(problem: Problem, fn: Fn, codes: Float64Array): Samples {
  const x = codes.map((code) => decode(problem.spec.input, code));
  const exact = x.map((value) => fn.evaluate(value));
  const bad = exact.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw notFinite(fn, x[bad] as number);
  if (problem.norm === "mse") return { codes, exact, weights: masses(x, problem.histogram) };
  return { codes, exact, weights: exact.map(errorWeight(problem)) };
}

function notFinite(fn: Fn, x: number): LutraError {
  return new LutraError("infeasible", `${fn.text} is not finite at x = ${x}`, {
    note: "choose a domain without that input",
  });
}

/** Where the samples go behind the reductions. Samples that meet share a point: masses add, of weights the larger wins. */
function foldSamples(problem: Problem, fn: Fn, samples: Samples): Points {
  const { norm, reductions, spec } = problem;
  const folded = Array.from(samples.codes, (code, i) => {
    const { t, gain } = fold(reductions, code);
    return { code: t + 0, weight: (samples.weights[i] as number) * (norm === "mse" ? gain * gain : gain) };
  });
  folded.sort((a, b) => a.code - b.code);
  const kept: typeof folded = [];
  for (const point of folded) {
    const last = kept[kept.length - 1];
    if (last?.code !== point.code) kept.push(point);
    else last.weight = norm === "mse" ? last.weight + point.weight : Math.max(last.weight, point.weight);
  }
  const codes = Float64Array.from(kept, (point) => point.code);
  const x = codes.map((code) => decode(spec.input, code));
  return {
    codes,
    x,
    y: x.map((value) => withinOutput(spec.output, fn.evaluate(value))),
    weights: Float64Array.from(kept, (point) => point.weight),
  };
}

// points chosen from binary32 ----------------------------------------------------------------------------------------

/** For a largest error: points spread over the reduced range, each standing for its worst input. */
function spreadPoints(question: Question, segments: number): Chosen {
  const { problem, reduced } = question;
  const range = finiteRange(problem, reduced);
  const at = (t: Float64Array): Measured => worstInputs(question, t);
  const weight = errorWeight(problem);
  const curvature = (t: number, step: number): number => {
    const h = Math.min(step, t - range.lo, range.hi - t) / 2;
    const f = reduced.fn.evaluate(t);
    const second = (reduced.fn.evaluate(t + h) - 2 * f + reduced.fn.evaluate(t - h)) / (h * h);
    return Math.sqrt(Math.abs(second) * (problem.norm === "max" ? 1 : weight(f)));
  };
  const kinks = reduced.fn.kinks.filter((x) => range.lo < x && x < range.hi).map(Math.fround);
  const measured = at(
    ascending([...spread(range, curvature, pointsFor(segments)), ...kinks, ...required(question, range)]),
  );
  return { ...measured, range, at, over: `${measured.points.codes.length} binary32 values spread over the domain` };
}

/** Points at reduced arguments, weighed by the input that goes there and whose error counts most. */
function worstInputs(question: Question, arguments_: Float64Array): Measured {
  const found = Array.from(arguments_, (t) => worstInput(question, t + 0)).filter((input) => input !== null);
  const x = Float64Array.from(found, (input) => input.t);
  const weights = Float64Array.from(found, (input) => input.weight * input.gain);
  return {
    points: { codes: x, x, y: x.map((t) => question.reduced.fn.evaluate(t)), weights },
    samples: {
      codes: Float64Array.from(found, (input) => input.code),
      exact: Float64Array.from(found, (input) => input.exact),
      weights: Float64Array.from(found, (input) => input.weight),
    },
  };
}

interface WorstInput {
  readonly t: number;
  readonly code: number;
  readonly exact: number;
  readonly weight: number;
  readonly gain: number;
}

/** In every norm an input with a larger gain counts at least as much: only those of the largest are looked at. */
function worstInput({ problem, outer, domain }: Question, t: number): WorstInput | null {
  const weightOf = errorWeight(problem);
  let worst: WorstInput | null = null;
  unfold(problem.reductions, t, (x, gain) => {
    const code = Math.fround(x);
    if (!(domain.lo <= code && code <= domain.hi)) return true;
    if (worst !== null && gain < worst.gain) return false;
    const exact = outer.evaluate(code);
    if (!Number.isFinite(exact)) throw notFinite(outer, code);
    const weight = weightOf(exact);
    if (worst === null || weight > worst.weight) worst = { t, code, exact, weight, gain };
    return problem.norm !== "max";
  });
  return worst;
}

/** For the mean square: the histogram's representatives, or inputs evenly spaced. */
function massPoints(question: Question): Chosen {
  const { problem, outer, domain, reduced, zero } = question;
  const range = finiteRange(problem, reduced);
  const span = finiteSpan(problem, domain, range);
  const count = zero === null ? MASS_POINTS : MASS_POINTS - 1;
  const standing =
    problem.histogram === undefined ? evenly(span, count) : representatives(problem.histogram, span, count);
  // Powers of two far below the spacing would draw all mass to 0.
  const spacing = (span.hi - span.lo) / MASS_POINTS;
  const wanted = keeps(problem, "continuous") ? required(question, span) : zero === null ? [] : [0];
  const added = wanted.filter((x) => x === 0 || Math.abs(x) >= spacing);
  const codes = ascending([...standing, ...added]);
  const samples = weigh(problem, outer, codes);
  const points = foldSamples(problem, reduced.fn, samples);
  const how = problem.histogram === undefined ? "evenly spaced" : "standing for the histogram";
  return { points, samples, range, at: null, over: `${codes.length} binary32 values ${how}` };
}

/** The finite part of the domain whose mean square counts. @throws LutraError if nothing bounds it */
function finiteSpan(problem: Problem, domain: Interval, range: Interval): Interval {
  const seen = problem.histogram?.edges;
  const mirrored = problem.reductions.every(
    ({ by }) => by === "odd" || by === "even" || by === "reflect" || by === "complement",
  );
  const reach = problem.reductions.length === 0 ? range : { lo: -iv.magnitude(range), hi: iv.magnitude(range) };
  const bounds = mirrored
    ? reach
    : seen === undefined
      ? iv.EVERYTHING
      : { lo: seen[0] as number, hi: seen[seen.length - 1] as number };
  const span = iv.intersect(domain, bounds);
  if (span !== null && Number.isFinite(span.lo) && Number.isFinite(span.hi)) {
    return { lo: ceil32(span.lo), hi: floor32(span.hi) };
  }
  throw new LutraError("bad-argument", "a mean square over an unbounded domain needs a histogram that lies in it", {
    note: "give a histogram, a finite domain, or another norm",
  });
}
