// From the options of `lutra fit` to a Problem: formats from their names, a histogram from its file. The rest is the library's.

import { type Format, type Norm, type Problem, parseFormat, parseHistogram, problemOf } from "lutra";
import { readJson } from "./files.ts";
import type { Grid } from "./options.ts";

export interface ProblemOptions {
  readonly fn: string;
  readonly in?: string;
  readonly out?: string;
  readonly grid?: Grid;
  readonly range?: readonly [number, number];
  readonly segments?: number;
  readonly maxError?: number;
  readonly norm: Norm;
  readonly coefficients?: string;
  readonly histogram?: string;
  readonly tails?: "clamp" | "extend" | "auto";
  /** "auto", "none" or names separated by commas; chosen by the formats if absent. */
  readonly reduce?: string;
  /** Names of what the table must keep; the library knows which there are. */
  readonly keep?: readonly string[];
  readonly breakpoints?: readonly number[];
}

/** @throws LutraError for an unknown function or format, an empty range, a histogram that is none */
export async function problemFrom(options: ProblemOptions): Promise<Problem> {
  const { in: input, out: output, coefficients, histogram, ...question } = options;
  const problem = problemOf({
    ...question,
    input: formatOf(input),
    output: formatOf(output),
    coefficients: formatOf(coefficients),
  });
  if (histogram === undefined) return problem;
  return { ...problem, histogram: parseHistogram(await readJson(histogram), problem.spec.domain, histogram) };
}

function formatOf(name: string | undefined): Format | undefined {
  return name === undefined ? undefined : parseFormat(name);
}
