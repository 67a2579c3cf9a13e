// What every method of segments placed beforehand owes: the size and the error it says, a certificate, and the same bytes each time.

import { expect } from "vitest";
import { finish, fromJson, toJson } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, certify } from "../../packages/lutra/src/certify/index.ts";
import { type FitResult, measure, prepare, solve } from "../../packages/lutra/src/fit/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { type Problem, parseTable, segmentCount, type Table } from "../../packages/lutra/src/table/index.ts";

export type Parameters = Readonly<Record<string, string | number>>;

/** Solved by a method with its parameters. */
export function fitted(question: Problem, method: string, parameters: Parameters = {}): FitResult {
  return finish(solve(question, method, { seed: 1, parameters }));
}

export function proven(table: Table): Certificate {
  return finish(certify(fill(elementwise(table.spec), { f: table })));
}

/** Room for the reference's own error in a certificate. */
const DOUBT = 1e-12;

/** Checks a result; the certificate's error covers the largest error measured, which the norm "max" delivers. */
export function expectSound(question: Problem, method: string, parameters: Parameters = {}): FitResult {
  const result = fitted(question, method, parameters);
  const { table, objective, bound, segments } = result;
  const again = fitted(question, method, parameters);
  expect(toJson(again.table)).toBe(toJson(table));
  expect(parseTable(fromJson(toJson(table)))).toEqual(table);
  expect(segments).toBe(segmentCount(table));
  if ("segments" in question.size) expect(segments).toBeLessThanOrEqual(question.size.segments);
  expect(bound).toBeLessThanOrEqual(objective);
  expect(measure(question, table, prepare({ ...question, size: { segments } }).samples)).toBeCloseTo(objective, 6);
  if (question.norm === "max") expect(proven(table).absolute.upper).toBeGreaterThanOrEqual(objective - DOUBT);
  return result;
}
