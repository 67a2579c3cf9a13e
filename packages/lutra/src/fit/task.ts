// What every method starts from: the reduced function, its finite range, the points that count, and the samples to measure at.
// Reductions are handled here and in deliver(), so that a method never sees them.

import { LutraError } from "../base/index.ts";
import { type Fn, parseFn } from "../fn/index.ts";
import { codeRange, decode, encode, type Interval, isEnumerable, iv } from "../num/index.ts";
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
  const listed = problem.grid ?? isEnumerable(spec.input);
  const chosen = listed ? listedPoints(problem, outer, domain) : spreadPoints(problem, outer, domain, reduced, segments);
  const range = chosen.range ?? { lo: chosen.points.x[0] as number, hi: chosen.points.x[chosen.points.x.length - 1] as number };
  const { points, samples, over, at } = chosen;
  return { problem, segments, fn: reduced.fn, range, tails: reduced.tails, points, samples, over, at };
}

interface Chosen extends Measured {
  readonly range: Interval | null;
  readonly over: string;
  readonly at: Task["at"];
}

/** The part of the domain where the function is defined and the input format has values. @throws LutraError if there is none */
function realDomain(problem: Problem, fn: Fn): Interval {
  const { domain, input } = problem.spec;
  const { lo, hi } = codeRange(input);
  const values = input.kind === "float" ? iv.interval(-Infinity, Infinity) : { lo: decode(input, lo), hi: decode(input, hi) };
  const defined = iv.intersect(domain, fn.domain);
  const inside = defined === null ? null : iv.intersect(defined, values);
  if (inside !== null) return inside;
  throw new LutraError("bad-argument", `no input of ${fn.text} lies in the domain [${domain.lo}, ${domain.hi}]`, {
    note: `the function is defined on [${fn.domain.lo}, ${fn.domain.hi}]; the input format holds ${values.lo} to ${values.hi}`,
  });
}

// points that are given: a grid, or every code -----------------------------------------------------------------------

function listedPoints(problem: Problem, fn: Fn, domain: Interval): Chosen {
  const { input } = problem.spec;
  const codes = problem.grid === undefined ? codesInside(input, domain) : gridCodes(problem.grid, input);
  if (codes.length === 0) throw new LutraError("bad-argument", `no code of the input format lies in [${domain.lo}, ${domain.hi}]`);
  const samples = weigh(problem, fn, codes);
  const over = problem.grid === undefined ? `all ${codes.length} codes of the domain` : `the ${codes.length} points of the grid`;
  return { points: foldSamples(problem, samples), samples, over, range: null, at: null };
}

/** Exact values and weights at ascending codes. @throws LutraError where the function is not finite */
function weigh(problem: Problem, fn: Fn, codes: Float64Array): Samples {
  const { input } = problem.spec;
  const x = codes.map((code) => decode(input, code));
  const exact = x.map((value) => fn.evaluate(value));
  const bad = exact.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new LutraError("infeasible", `${fn.text} is not finite at x = ${x[bad]}`, { note: "choose a domain without that input" });
  }
  if (problem.norm === "mse") return { codes, exact, weights: masses(x, problem.histogram) };
  return { codes, exact, weights: exact.map(errorWeight(problem)) };
}

/** Where the samples go behind the reductions. Samples that meet share a point: masses add, the larger weight wins. */
function foldSamples(problem: Problem, samples: Samples): Points {
  const { input } = problem.spec;
  const integer = input.kind === "integer";
  const folded = Array.from(samples.codes, (code, i) => {
    const { t, gain } = fold(problem.reductions, code);
    const weight = samples.weights[i] as number;
    const { value } = unapply(problem, decode(input, code), samples.exact[i] as number, gain);
    return { code: t + 0, y: value, weight: problem.norm === "mse" ? weight * gain * gain : weight * gain };
  });
  folded.sort((a, b) => a.code - b.code);
  const kept: typeof folded = [];
  for (const point of folded) {
    const last = kept[kept.length - 1];
    if (last?.code !== point.code) kept.push(point);
    else last.weight = problem.norm === "mse" ? last.weight + point.weight : Math.max(last.weight, point.weight);
  }
  return {
    codes: Float64Array.from(kept, (point) => point.code),
    x: Float64Array.from(kept, (point) => (integer ? decode(input, point.code) : point.code)),
    y: Float64Array.from(kept, (point) => point.y),
    weights: Float64Array.from(kept, (point) => point.weight),
  };
}
