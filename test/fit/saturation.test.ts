// Outputs that saturate: answers may then come nearer to f than the stored lines, and the bound is about lines that do not.

import fc from "fast-check";
import { expect, test } from "vitest";
import { problem, solved } from "./problems.ts";

test("a bound is at most what is delivered, however narrow the output format (200 samples)", () => {
  const small = fc.integer({ min: 0, max: 5 });
  const fns = fc.constantFrom("gelu", "tanh", "sigmoid", "hard-swish");
  fc.assert(
    fc.property(fns, small, small, small, fc.integer({ min: 1, max: 8 }), (fn, wide, inputBits, more, segments) => {
      const stored = 4 + more;
      const question = problem(fn, [-1 - wide, 1 + more], {
        input: `int8:${2 ** -inputBits}`,
        output: `s${stored + inputBits + 1 + (wide % 3)}.${stored + inputBits}`,
        stored: `s16.${stored}`,
        norm: "mse",
        size: { segments },
      });
      const { objective, bound } = solved(question);
      expect(bound).toBeLessThanOrEqual(objective);
    }),
    { seed: 7, numRuns: 200 },
  );
});

test("lines that cannot saturate and are not rounded meet their bound", () => {
  const question = problem("gelu", [-4, 4], { input: "s8.4", output: "s24.12", stored: "s16.6", norm: "mse" });
  const { objective, bound } = solved(question);
  expect(objective / bound).toBeLessThan(1.000001);
});
