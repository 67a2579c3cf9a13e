// Who takes part: every method that searches a table, and every approximation without one, behind one shape.

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
import { inIntegers, isOnCodes } from "./grids.ts";
import { storedBytes } from "./storage.ts";
import type { Question } from "./types.ts";

/** What a method made of one problem. */
export interface Approximation {
  /** The points it is measured at, and the formats of its codes. */
  readonly problem: Problem;
  /** The real value it gives for an input code. */
  readonly answer: (code: number) => number;
  readonly entries: number;
  readonly operations: number;
  readonly bytes: number;
  readonly table: Table | null;
}

export interface Candidate {
  readonly method: string;
  /** Whether its answer depends on a seed. */
  readonly drawsLots: boolean;
  /** One approximation per problem of the question. */
  find(question: Question, seed: number): Work<readonly Approximation[]>;
}

const DRAWS_LOTS: ReadonlySet<string> = new Set(["genetic", "relu-net"]);

export const OPTIMUM: Candidate = searched("optimal");

/** @throws LutraError "bad-argument" for a method that does not exist */
export function candidatesFor(names?: readonly string[]): readonly Candidate[] {
  const all = Object.keys(METHODS).map(searched);
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find(({ method }) => method === name);
    if (found !== undefined) return found;
    throw new LutraError("bad-argument", `unknown method "${name}"`, {
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
 * Each method in the form it has: the question as asked, in integers, or in integers without a storage of lines.
 * @throws LutraError the first refusal, if it takes none of them
 */
function* fitted(problem: Problem, method: string, seed: number): Work<Approximation> {
  const refusals: LutraError[] = [];
  for (const asked of formsOf(problem)) {
    try {
      return approximationBy((yield* solve(inOwnSize(asked, method), method, { seed })).table, asked);
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
  if (problem.spec.input.kind === "integer" || !isOnCodes(problem)) return [problem];
  const { coefficients: _, ...bare } = inIntegers(problem);
  return [problem, inIntegers(problem), bare];
}

/** A method may say that a question is not for it; everything else is a fault. */
export function isRefusal(error: unknown): error is LutraError {
  return error instanceof LutraError && ["unsupported", "infeasible", "bad-argument"].includes(error.code);
}

function approximationBy(table: Table, problem: Problem): Approximation {
  const { output } = table.spec;
  return {
    problem,
    answer: (code) => decode(output, evaluate(table, code)),
    entries: segmentCount(table),
    operations: total(operationsPerValue(table)),
    bytes: storedBytes(table, problem),
    table,
  };
}

function total(operations: Operations): number {
  return Object.values(operations).reduce((sum, count) => sum + count, 0);
}
