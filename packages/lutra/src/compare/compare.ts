// compare: every method asked the same questions, each answer measured on the question's own grid beside the optimum. The yardsticks
// are the optimal table in the same storage and the optimal table of real lines, both with as many entries as the answer has.

import type { Work } from "../base/index.ts";
import type { GivenParameters } from "../fit/index.ts";
import type { Problem, Table } from "../table/index.ts";
import { isRefusal, jobsOf, OPTIMUM } from "./candidates.ts";
import { errorsOver, type MethodErrors, overScales } from "./errors.ts";
import type {
  Approximation,
  Candidate,
  ComparedTable,
  CompareRefusal,
  CompareRow,
  MethodComparison,
  Question,
} from "./types.ts";

export interface CompareOptions {
  readonly questions: readonly Question[];
  /** Names of methods; all that have an answer if absent. */
  readonly methods?: readonly string[];
  /** What methods leave open, by name: each takes those that it declares. */
  readonly parameters?: GivenParameters;
  /** Of methods that draw lots: this many, from `seed` on. */
  readonly seeds: number;
  readonly seed: number;
}

/** What one method made of a question. */
interface Trial {
  readonly answers: readonly Approximation[];
  readonly errors: MethodErrors;
  readonly seconds: number;
}

/**
 * @param now seconds, for what finding a table took; the library has no clock of its own
 * @throws LutraError "bad-argument" for a method or parameter that does not exist; whatever a method throws that is no refusal
 */
export function* compare(options: CompareOptions, now: () => number): Work<MethodComparison> {
  const rows: CompareRow[] = [];
  const tables: ComparedTable[] = [];
  const refused: CompareRefusal[] = [];
  const jobs = jobsOf(options.questions, options.methods, options.parameters ?? {});
  const optima = new Optima(options.seed, now);
  for (const [done, { question, candidate }] of jobs.entries()) {
    yield { stage: `${candidate.method} ${question.fn} ${question.segments}`, done, total: jobs.length };
    try {
      const { row, table } = yield* rowOf(question, candidate, options, optima, now);
      rows.push(row);
      if (table !== null) tables.push({ method: row.method, fn: row.fn, segments: row.segments, table });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { fn, grid, segments } = question;
      refused.push({ method: candidate.method, fn, grid, segments, reason: error.message });
    }
  }
  return { rows, tables, refused };
}

function* rowOf(
  question: Question,
  candidate: Candidate,
  { seeds, seed }: CompareOptions,
  optima: Optima,
  now: () => number,
): Work<{ readonly row: CompareRow; readonly table: Table | null }> {
  const trials: Trial[] = [];
  const count = candidate.drawsLots ? seeds : 1;
  for (let i = 0; i < count; i++) trials.push(yield* trialOf(question, candidate, seed + i, now));
  const ordered = trials.toSorted((a, b) => a.errors.mse - b.errors.mse);
  const { answers, errors, seconds } = ordered[Math.floor((count - 1) / 2)] as Trial;
  const entries = Math.max(...answers.map((answer) => answer.entries));
  const isStored = answers.every(({ isStoredAsAsked }) => isStoredAsAsked);
  const stored = isStored ? yield* optima.of(question, entries, "stored") : null;
  const real = yield* optima.of(question, entries, "real");
  const best = ordered[0] as Trial;
  const worst = ordered.at(-1) as Trial;
  const row: CompareRow = {
    method: candidate.method,
    fn: question.fn,
    grid: question.grid,
    segments: question.segments,
    entries,
    ...errors,
    ratio: ratioTo(errors.mse, stored),
    realRatio: ratioTo(errors.mse, real),
    bytes: Math.max(...answers.map((answer) => answer.bytes)),
    operations: Math.max(...answers.map(({ operations }) => operations)),
    seconds,
    seeds: count > 1 ? { count, best: best.errors.mse, worst: worst.errors.mse } : null,
  };
  return { row, table: answers[0]?.table ?? null };
}

function* trialOf(question: Question, candidate: Candidate, seed: number, now: () => number): Work<Trial> {
  const start = now();
  const answers = yield* candidate.find(question, seed);
  const seconds = now() - start;
  const errors = overScales(answers.map(({ problem, answer }) => errorsOver(problem, answer)));
  return { answers, errors, seconds };
}

function ratioTo(mse: number, optimum: number | null): number | null {
  return optimum === null || optimum === 0 ? null : mse / optimum;
}

/** Mean squares of optimal tables, each found once. */
class Optima {
  readonly #known = new Map<string, number | null>();
  readonly #seed: number;
  readonly #now: () => number;

  constructor(seed: number, now: () => number) {
    this.#seed = seed;
    this.#now = now;
  }

  /** null where there is no table of so many entries to compare with. */
  *of(question: Question, entries: number, storage: "stored" | "real"): Work<number | null> {
    if (entries < 1) return null;
    const key = JSON.stringify([question.fn, question.problems, entries, storage]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const asked = { ...question, problems: question.problems.map((problem) => resized(problem, entries, storage)) };
    const { errors } = yield* trialOf(asked, OPTIMUM, this.#seed, this.#now);
    this.#known.set(key, errors.mse);
    return errors.mse;
  }
}

function resized({ coefficients, ...problem }: Problem, segments: number, storage: "stored" | "real"): Problem {
  const kept = storage === "stored" && coefficients !== undefined ? { coefficients } : {};
  return { ...problem, ...kept, size: { segments }, norm: "mse" };
}
