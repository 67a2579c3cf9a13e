// Who takes part: every method that searches a table, for each problem or one for all scales, behind the one shape that formulas.ts gives
// to those without.

import { LutraError, type Work } from "../base/index.ts";
import {
  type GivenParameters,
  METHODS,
  type MethodOptions,
  OWN_SIZE,
  parametersByMethod,
  solve,
} from "../fit/index.ts";
import { decode } from "../num/index.ts";
import {
  atScale,
  evaluate,
  type Operations,
  operationsPerValue,
  type Problem,
  segmentCount,
  type Table,
  tableBytes,
} from "../table/index.ts";
import { formulasFor } from "./formulas.ts";
import { inIntegers, isOnCodes } from "./grids.ts";
import { storedBytes } from "./storage.ts";
import type { Approximation, Candidate, Question } from "./types.ts";

const DRAWS_LOTS: ReadonlySet<string> = new Set(["genetic", "relu-net"]);

/** Methods that find one table for several scales. */
const FOR_ALL_SCALES = ["optimal", "genetic", "relu-net"] as const;

export const OPTIMUM: Candidate = searched("optimal", {});

/** Who is asked what. */
export interface Job {
  readonly question: Question;
  readonly candidate: Candidate;
}

/**
 * Every question with those that may answer it, the tables first; with those asked for, where names are given.
 * @param parameters what methods leave open: each takes its own
 * @throws LutraError "bad-argument" for a name that no question knows, or a parameter that none of the methods has
 */
export function jobsOf(
  questions: readonly Question[],
  names: readonly string[] | undefined,
  parameters: GivenParameters,
): readonly Job[] {
  const searching = names?.map((name) => name.replace(SHARED, "")).filter((name) => Object.hasOwn(METHODS, name));
  const own = parametersByMethod(searching ?? Object.keys(METHODS), parameters);
  const known = questions.map((question) => ({ question, candidates: candidatesFor(question, own) }));
  const all = new Set(known.flatMap(({ candidates }) => candidates.map(({ method }) => method)));
  const misspelt = names?.find((name) => !all.has(name));
  if (misspelt !== undefined) {
    throw new LutraError("bad-argument", `unknown method "${misspelt}"`, {
      note: `known methods: ${[...all].join(", ")}`,
    });
  }
  return known.flatMap(({ question, candidates }) => {
    const asked = names?.map((name) => candidates.find(({ method }) => method === name) ?? absent(name, question));
    return (asked ?? candidates).map((candidate) => ({ question, candidate }));
  });
}

function candidatesFor(question: Question, own: ReadonlyMap<string, GivenParameters>): readonly Candidate[] {
  return [
    ...Object.keys(METHODS).map((method) => searched(method, own.get(method) ?? {})),
    ...FOR_ALL_SCALES.flatMap((method) => forAllScales(question, method, own.get(method) ?? {})),
    ...formulasFor(question),
  ];
}

/** In the place of one that other questions know. */
function absent(method: string, { fn, grid }: Question): Candidate {
  return {
    method,
    drawsLots: false,
    *find() {
      yield { stage: method, done: 0, total: 1 };
      throw new LutraError("unsupported", `${method} is not for ${fn} on the grid "${grid}"`);
    },
  };
}

function searched(method: string, parameters: GivenParameters): Candidate {
  return {
    method,
    drawsLots: DRAWS_LOTS.has(method),
    *find(question, seed) {
      const found: Approximation[] = [];
      for (const problem of question.problems) found.push(yield* fitted(problem, method, { seed, parameters }));
      return found;
    },
  };
}

const SHARED: RegExp = /-shared$/;

/** One set of stored lines for all scales, each with its own breakpoints, as GQA-LUT deploys its tables: where there are several. */
function forAllScales({ shared }: Question, method: string, parameters: GivenParameters): readonly Candidate[] {
  if (shared === null) return [];
  return [
    {
      method: `${method}-shared`,
      drawsLots: true,
      *find({ problems }, seed) {
        const { table } = yield* solve(shared, method, { seed, parameters });
        const own = problems.map((problem, k) => approximationBy(atScale(table, k), inIntegers(problem), true));
        return own.map((one) => ({ ...one, entries: segmentCount(table), bytes: tableBytes(table) }));
      },
    },
  ];
}

/**
 * Each method in the form it has: the question as asked, in integers, or without a storage of lines.
 * @throws LutraError the first refusal, if it takes none of them
 */
function* fitted(problem: Problem, method: string, options: MethodOptions): Work<Approximation> {
  const refusals: LutraError[] = [];
  for (const asked of formsOf(problem)) {
    try {
      const { table } = yield* solve(inOwnSize(asked, method), method, options);
      return approximationBy(table, asked, asked.coefficients === problem.coefficients);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0];
}

/** A method whose table has one size is asked for that, whatever the others are asked for. */
function inOwnSize(problem: Problem, method: string): Problem {
  const segments = OWN_SIZE[method];
  return segments === undefined ? problem : { ...problem, size: { segments } };
}

function formsOf(problem: Problem): readonly Problem[] {
  const { coefficients: _, ...bare } = problem;
  return isOnCodes(problem) ? [problem, inIntegers(problem), bare, inIntegers(bare)] : [problem, bare];
}

/** A method may say that a question is not for it; everything else is a fault. */
export function isRefusal(error: unknown): error is LutraError {
  return error instanceof LutraError && ["unsupported", "infeasible", "bad-argument"].includes(error.code);
}

function approximationBy(table: Table, problem: Problem, isStoredAsAsked: boolean): Approximation {
  const { output } = table.spec;
  return {
    problem,
    answer: (code) => decode(output, evaluate(table, code)),
    entries: segmentCount(table),
    operations: total(operationsPerValue(table)),
    bytes: storedBytes(table, problem),
    isStoredAsAsked,
    table,
  };
}

function total(operations: Operations): number {
  return Object.values(operations).reduce((sum, count) => sum + count, 0);
}
