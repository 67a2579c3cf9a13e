// Certificates of expressions over all of binary32: no less than the truth, by MPFR, and hardly more than what is attained.

import { afterAll, describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import type { ErrorBound } from "../../packages/lutra/src/certify/types.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import { BINARY32, fromOrdered32, iv, MAX_BINARY32, toOrdered32 } from "../../packages/lutra/src/num/index.ts";
import { evaluate } from "../../packages/lutra/src/table/index.ts";
import { expressionsOf, mpfr } from "../fn/mpfr.ts";
import { certificateOf } from "./tables.ts";

const e = mpfr();
afterAll(() => e.destroy());

/** 1,500 binary32 numbers, evenly by order of magnitude from one end to the other. */
const INPUTS: readonly number[] = Array.from({ length: 1500 }, (_, i) =>
  fromOrdered32(Math.round(toOrdered32(MAX_BINARY32) * ((2 * i) / 1499 - 1))),
);

/** No table follows it to its pole. */
const FUNCTIONS = Object.entries(expressionsOf(e)).filter(([text]) => text !== "x+1/x");

describe("certificates of expressions, over all of binary32 where a table can follow them", () => {
  it.each(FUNCTIONS)("%s: the bound holds, and is near the error attained", (text, exact) => {
    const fn = parseFn(text);
    const asked = { fn: fn.text, domain: fn.domain, input: BINARY32, output: BINARY32 };
    const problem = planProblem(asked, { segments: 8, norm: "max" });
    const { table } = finish(solve(problem, "optimal", { seed: 1 }));
    const { absolute } = certificateOf(table);
    let attained = absolute.lower;
    for (const x of INPUTS.filter((each) => iv.contains(problem.spec.domain, each))) {
      const error = e
        .real(evaluate(table, x))
        .sub(exact(e.real(x)))
        .abs();
      expect(error.lessOrEqual(e.real(absolute.upper)), `at ${x}`).toBe(true);
      attained = Math.max(attained, error.toNumber());
    }
    expect(absolute.upper).toBeLessThanOrEqual(4 * attained);
  });
});

describe("certificates of choices", () => {
  /** The absolute error of a table of 8 lines over all of binary32. */
  const errorOf = (text: string): ErrorBound => {
    const fn = parseFn(text);
    const asked = { fn: fn.text, domain: fn.domain, input: BINARY32, output: BINARY32 };
    const problem = planProblem(asked, { segments: 8, norm: "max" });
    return certificateOf(finish(solve(problem, "optimal", { seed: 1 })).table).absolute;
  };

  it.each(["where(x,x,exp(x)-1)", "where(x-1,where(x-2,x,1),exp(x))", "where(x-1/3,x,exp(x)-1)", "exp(where(x,-x,x))"])(
    "%s: each branch is proven as it would be by itself, and where they meet",
    (text) => {
      const { lower, upper } = errorOf(text);
      expect(upper).toBeLessThanOrEqual(1.001 * lower);
    },
  );

  it("of lines that a table holds exactly are nothing but binary64's own doubt", () => {
    expect(errorOf("where(x-100,x,0)").upper).toBeLessThan(2 ** -44);
    expect(errorOf("min(max(x,0),6)").upper).toBeLessThan(2 ** -1000);
  });

  it("know a function that jumps where its derivative does not", () => {
    const fn = parseFn("where(x,x+1,x)");
    expect([fn.continuousOn({ lo: -1, hi: 1 }), fn.continuousOn({ lo: 0, hi: 1 })]).toEqual([false, true]);
    expect(fn.derivative().continuousOn({ lo: -1, hi: 1 })).toBe(true);
  });
});
