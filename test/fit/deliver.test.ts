// The end of every method: a lower bound above what a table delivers is a defect of ours, and must not pass for a result.

import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { deliverTable, NO_BOUND } from "../../packages/lutra/src/fit/deliver.ts";
import { prepare } from "../../packages/lutra/src/fit/index.ts";
import { problem, solved } from "./problems.ts";

const QUESTION = problem("gelu", [-4, 4]);
const { table } = solved(QUESTION);
const TASK = prepare(QUESTION);
const { objective } = deliverTable(TASK, table, NO_BOUND);

describe("a bound that the delivered table contradicts", () => {
  it("is an internal error with both numbers, no error of the user's", () => {
    const wrong = { value: objective * 1.02, holds: "a bound made up for this test" };
    const deliver = (): unknown => deliverTable(TASK, table, wrong);
    expect(deliver).toThrow(
      `a lower bound is contradicted: ${wrong.value} was proven (${wrong.holds}), ${objective} is delivered`,
    );
    expect(deliver).not.toThrow(LutraError);
  });

  it("is cut to what is delivered if rounding may be all that is between them", () => {
    const close = { value: objective * 1.005, holds: "real lines" };
    expect(deliverTable(TASK, table, close)).toMatchObject({ objective, bound: objective, boundHolds: "real lines" });
  });

  it("of nothing is never contradicted", () => {
    expect(deliverTable(TASK, table, NO_BOUND)).toMatchObject({ objective, bound: 0 });
  });

  it("is not looked at where the table overflows: that is the user's to mend", () => {
    const overflowing = { ...table, coefficients: table.coefficients.map((column) => column.map(() => 3e38)) };
    expect(() => deliverTable(TASK, overflowing, NO_BOUND)).toThrow(/overflows its output format/);
  });
});
