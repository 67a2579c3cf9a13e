// What every method starts from: the reduced function, its finite range, the points that count, and the samples to measure at.
// Reductions are handled here and in deliver(), so that a method never sees them.

import { LutraError } from "../base/index.ts";
import { type Fn, parseFn } from "../fn/index.ts";
import { ceil32, codeRange, decode, floor32, type Interval, isEnumerable, iv } from "../num/index.ts";
import type { Problem, Tail } from "../table/index.ts";
import { errorWeight, type Samples } from "./norm.ts";
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
  readonly points: Points;
  readonly samples: Samples;
  /** The points in words. */
  readonly over: string;
  /** Further points at given reduced arguments, where `points` is only a subset (binary32); null where it is all there is. */
  readonly at: ((arguments_: Float64Array) => Measured) | null;
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
}

type Chosen = Pick<Task, "range" | "points" | "samples" | "over" | "at">;

/** Points chosen from binary32; more when there are many segments. */
const SPREAD_POINTS = 4096;
const POINTS_PER_SEGMENT = 16;

/** Prepares a problem that asks for a number of segments. @throws LutraError as `solve`, TypeError if it asks for an error */
export function prepare(problem: Problem): Task {
  if (!("segments" in problem.size)) throw new TypeError("a method needs a number of segments");
  const { segments } = problem.size;
  const { spec } = problem;
  const outer = parseFn(spec.fn);
  const domain = realDomain(problem, outer);
  const reduced = reduceQuestion(outer, problem.reductions, domain, problem.tails);
  const question: Question = { problem, outer, domain, reduced };
  const listed = problem.grid !== undefined || isEnumerable(spec.input);
  const chosen = listed ? listedPoints(question) : problem.norm === "mse" ? massPoints(question) : spreadPoints(question, segments);
  return { problem, segments, fn: reduced.fn, tails: reduced.tails, ...chosen };
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
  const range = { lo: points.x[0] as number, hi: points.x[points.x.length - 1] as number };
  const over = problem.grid === undefined ? `all ${codes.length} codes in the domain` : `the ${codes.length} grid points`;
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
  return new LutraError("infeasible", `${fn.text} is not finite at x = ${x}`, { note: "choose a domain without that input" });
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
  return { codes, x, y: x.map((value) => fn.evaluate(value)), weights: Float64Array.from(kept, (point) => point.weight) };
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
  const count = Math.max(SPREAD_POINTS, POINTS_PER_SEGMENT * segments);
  const kinks = reduced.fn.kinks.filter((x) => range.lo < x && x < range.hi).map(Math.fround);
  const measured = at(ascending([...spread(range, curvature, count), ...kinks]));
  return { ...measured, range, at, over: `${measured.points.codes.length} binary32 values spread over the domain` };
}

/** Points at reduced arguments, weighed by the input that goes there and whose error counts most. */
function worstInputs({ problem, outer, domain, reduced }: Question, arguments_: Float64Array): Measured {
  const weightOf = errorWeight(problem);
  const columns = { t: [] as number[], weight: [] as number[], code: [] as number[], exact: [] as number[], outer: [] as number[] };
  for (const t of arguments_) {
    let best = -1;
    let worst = { code: t, exact: 0, weight: 0 };
    for (const code of largestGain(problem, unfold(problem.reductions, t, domain))) {
      const exact = outer.evaluate(code);
      if (!Number.isFinite(exact)) throw notFinite(outer, code);
      const weight = weightOf(exact);
      const total = weight * fold(problem.reductions, code).gain;
      if (total > best) {
        best = total;
        worst = { code, exact, weight };
      }
    }
    if (best < 0) continue;
    columns.t.push(t + 0);
    columns.weight.push(best);
    columns.code.push(worst.code);
    columns.exact.push(worst.exact);
    columns.outer.push(worst.weight);
  }
  const x = Float64Array.from(columns.t);
  return {
    points: { codes: x, x, y: x.map((t) => reduced.fn.evaluate(t)), weights: Float64Array.from(columns.weight) },
    samples: {
      codes: Float64Array.from(columns.code),
      exact: Float64Array.from(columns.exact),
      weights: Float64Array.from(columns.outer),
    },
  };
}

/** In every norm an input with a larger gain counts at least as much: only those need a look. */
function largestGain(problem: Problem, inputs: number[]): number[] {
  if (problem.reductions.length === 0) return inputs;
  const gains = inputs.map((x) => fold(problem.reductions, x).gain);
  const largest = gains.reduce((a, b) => Math.max(a, b), 0);
  return inputs.filter((_, i) => gains[i] === largest);
}

/** For the mean square: the histogram's representatives, or inputs evenly spaced. */
function massPoints({ problem, outer, domain, reduced }: Question): Chosen {
  const range = finiteRange(problem, reduced);
  const span = finiteSpan(problem, domain, range);
  const codes =
    problem.histogram === undefined
      ? ascending(evenly(span, SPREAD_POINTS))
      : representatives(problem.histogram, span, SPREAD_POINTS);
  const samples = weigh(problem, outer, codes);
  const points = foldSamples(problem, reduced.fn, samples);
  const how = problem.histogram === undefined ? "evenly spaced" : "standing for the histogram";
  return { points, samples, range, at: null, over: `${codes.length} binary32 values ${how}` };
}

/** The finite part of the domain whose mean square counts. @throws LutraError if nothing bounds it */
function finiteSpan(problem: Problem, domain: Interval, range: Interval): Interval {
  const seen = problem.histogram?.edges;
  const mirrored = problem.reductions.every(({ by }) => by === "odd" || by === "even" || by === "reflect" || by === "complement");
  const reach = problem.reductions.length === 0 ? range : { lo: -iv.magnitude(range), hi: iv.magnitude(range) };
  const bounds = mirrored ? reach : seen === undefined ? iv.EVERYTHING : { lo: seen[0] as number, hi: seen[seen.length - 1] as number };
  const span = iv.intersect(domain, bounds);
  if (span !== null && Number.isFinite(span.lo) && Number.isFinite(span.hi)) {
    return { lo: ceil32(span.lo), hi: floor32(span.hi) };
  }
  throw new LutraError("bad-argument", "a mean square over an unbounded domain needs a histogram that lies in it", {
    note: "give a histogram, a finite domain, or another norm",
  });
}
