// Certificates of expressions over all of binary32: no less than the truth, by MPFR, and hardly more than what is attained.

import { afterAll, describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
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

/** A pole, and a choice that might jump: proven by splitting alone, which takes minutes. */
const LEFT_OUT: readonly string[] = ["x+1/x", "where(x,x,0.25*(exp(x)-1))"];
const FUNCTIONS = Object.entries(expressionsOf(e)).filter(([text]) => !LEFT_OUT.includes(text));

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
