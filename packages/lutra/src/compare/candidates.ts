// Who takes part: every method that searches a table, behind the one shape that formulas.ts gives to those without.

import { LutraError, type Work } from "../base/index.ts";
import { METHODS, OWN_SIZE, solve } from "../fit/index.ts";
import { decode } from "../num/index.ts";
import {
  evaluate,
  type Operations,
  operationsPerValue,
  type Problem,
  segmentCount,
  type Table,
} from "../table/index.ts";
import { formulasFor } from "./formulas.ts";
import { inIntegers, isOnCodes } from "./grids.ts";
import { storedBytes } from "./storage.ts";
import type { Approximation, Candidate, Question } from "./types.ts";

const DRAWS_LOTS: ReadonlySet<string> = new Set(["genetic", "relu-net"]);

export const OPTIMUM: Candidate = searched("optimal");

/**
 * Those that answer a question, the tables first; those asked for, where names are given.
 * @throws LutraError "bad-argument" for a method that does not exist
 */
export function candidatesFor(question: Question, names?: readonly string[]): readonly Candidate[] {
  const all = [...Object.keys(METHODS).map(searched), ...formulasFor(question)];
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find(({ method }) => method === name);
    if (found !== undefined) return found;
    throw new LutraError("bad-argument", `unknown method "${name}" for ${question.fn}`, {
      note: `known methods: ${all.map(({ method }) => method).join(", ")}`,
    });
  });
}

function searched(method: string): Candidate {
  return {
    method,
    drawsLots: DRAWS_LOTS.has(method),
    *find(question, seed) {
      const found: Approximation[] = [];
      for (const problem of question.problems) found.push(yield* fitted(problem, method, seed));
      return found;
    },
  };
}

/**
 * Each method in the form it has: the question as asked, in integers, or without a storage of lines.
 * @throws LutraError the first refusal, if it takes none of them
 */
function* fitted(problem: Problem, method: string, seed: number): Work<Approximation> {
  const refusals: LutraError[] = [];
  for (const asked of formsOf(problem)) {
    try {
      const { table } = yield* solve(inOwnSize(asked, method), method, { seed });
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
