// The module of dots that products are measured against: it is valid, and does as many products as it says.
import { expect, it } from "vitest";
import { dotAnswer, dotLimit } from "../../bench/programs/dot-limit.mjs";
import { FORMS, withoutBaselineCompiler } from "../target/wasm/forms.ts";

it.runIf(FORMS.includes("relaxed"))("sums every product of every lane", () => {
  withoutBaselineCompiler();
  const shapes: readonly (readonly [number, number, number])[] = [
    [1, 768, 1],
    [8, 96, 32],
    [3, 100, 7],
  ];
  for (const [m, k, n] of shapes) {
    const rounds = Math.ceil((m * k * n) / 768);
    expect(dotLimit(m, k, n)()).toBe((rounds * 768) / 4);
    expect(dotAnswer(m, k, n)).toBe((rounds * 768) / 4);
  }
});
