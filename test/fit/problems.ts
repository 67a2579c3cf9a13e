// Problems as the tests write them: a function, a domain, and what differs from the plainest question.

import { finish } from "../../packages/lutra/src/base/index.ts";
import { type FitResult, solve } from "../../packages/lutra/src/fit/index.ts";
import { BINARY32, type Format, parseFormat } from "../../packages/lutra/src/num/index.ts";
import type { Problem } from "../../packages/lutra/src/table/index.ts";

export interface ProblemOptions extends Partial<Omit<Problem, "spec" | "coefficients">> {
  readonly input?: string;
  readonly output?: string;
  /** Format of both slope and intercept. */
  readonly stored?: string;
}

/** binary32, 8 segments, largest error, outermost lines extended, unless said otherwise. */
export function problem(fn: string, domain: readonly [number, number], options: ProblemOptions = {}): Problem {
  const { input, output, stored, ...rest } = options;
  const format = (text: string | undefined): Format => (text === undefined ? BINARY32 : parseFormat(text));
  return {
    spec: { fn, domain: { lo: domain[0], hi: domain[1] }, input: format(input), output: format(output) },
    size: { segments: 8 },
    norm: "max",
    tails: ["extend", "extend"],
    reductions: [],
    ...(stored === undefined ? {} : { coefficients: { slope: parseFormat(stored), intercept: parseFormat(stored) } }),
    ...rest,
  };
}

export function solved(question: Problem, method = "optimal"): FitResult {
  return finish(solve(question, method, { seed: 1 }));
}
