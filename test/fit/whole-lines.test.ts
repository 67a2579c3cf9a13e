// uniform with lines=whole: lines of 8-bit codes that begin at a whole output code. As good as trying every such line, and what the wasm
// target computes in registers.

import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { codeRange, decode, type IntegerFormat, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Problem } from "../../packages/lutra/src/table/index.ts";
import { codeLines } from "../../packages/lutra/src/target/wasm/code-lines.ts";
import { expectSound, fitted, proven } from "./methods.ts";
import { problem } from "./problems.ts";

const everywhere = [-Infinity, Infinity] as const;
const whole = { lines: "whole" };

function question(fn: string, input: string, output: string, options: Partial<Problem> = {}): Problem {
  return problem(fn, everywhere, { input, output, size: { segments: 16 }, tails: ["clamp", "clamp"], ...options });
}

const format = (text: string): IntegerFormat => parseFormat(text) as IntegerFormat;

describe.each([
  ["gelu", "s8.5", "s8.5"],
  ["silu", "s8.5", "s8.5"],
  ["hard-swish", "s8.4", "s8.4"],
  ["softplus", "s8.5", "s8.5"],
  ["elu", "s8.5", "s8.5"],
  ["sigmoid", "s8.5", "u8.8"],
  ["tanh", "s8.6", "s8.7"],
  ["gelu", "int8:0.047:-13", "int8:0.031:-100"],
  ["sigmoid", "uint8:0.03:128", "uint8:0.0039"],
])("%s from %s to %s", (fn, input, output) => {
  test("is within one output code of the function, proven", () => {
    const { table } = expectSound(question(fn, input, output), "uniform", whole);
    expect(proven(table).absolute.upper).toBeLessThanOrEqual(format(output).scale * (1 + 1e-12));
  });

  test("is lines of 16 codes to the wasm target", () => {
    const { table } = fitted(question(fn, input, output), "uniform", whole);
    const isSigned = format(input).signed;
    const answers = Array.from({ length: 256 }, (_, pattern) => {
      return evaluate(table, isSigned && pattern > 127 ? pattern - 256 : pattern);
    });
    expect(codeLines(answers, [[16, 0]])).toMatchObject({ width: 16, raised: null });
  });

  test.each(["max", "mse"] as const)("has the least %s error of all such lines", (norm) => {
    const asked = question(fn, input, output, { norm });
    const least = leastError(asked);
    expect(fitted(asked, "uniform", whole).objective).toBeCloseTo(least, 12);
  });
});

/** Of all shifts, slopes and bases, in segments of 16 codes. */
function leastError({ spec, norm }: Problem): number {
  const [input, output] = [spec.input as IntegerFormat, spec.output as IntegerFormat];
  const { lo: first } = codeRange(input);
  const { evaluate: f } = parseFn(spec.fn);
  const targets = Array.from({ length: 256 }, (_, i) => f(decode(input, first + i)) / output.scale + output.zeroPoint);
  const errors = Array.from({ length: 8 }, (_, shift) => {
    const costs = Array.from({ length: 16 }, (_, i) =>
      leastCost(targets.slice(16 * i, 16 * i + 16), shift, output, norm),
    );
    return norm === "mse" ? costs.reduce((a, b) => a + b, 0) / 256 : Math.max(...costs);
  });
  const least = Math.min(...errors);
  return norm === "mse" ? least * output.scale * output.scale : least * output.scale;
}

function leastCost(targets: readonly number[], shift: number, output: IntegerFormat, norm: Problem["norm"]): number {
  const { lo, hi } = codeRange(output);
  let least = Infinity;
  for (let slope = -128; slope < 128; slope++) {
    const end = (slope * 15) >> shift;
    for (let base = Math.max(lo, lo - end); base <= Math.min(hi, hi - end); base++) {
      let cost = 0;
      for (let j = 0; j < 16 && cost < least; j++) {
        const error = Math.abs(base + ((slope * j) >> shift) - (targets[j] as number));
        cost = norm === "mse" ? cost + error * error : Math.max(cost, error);
      }
      least = Math.min(least, cost);
    }
  }
  return least;
}

describe("lines=whole", () => {
  test("takes other widths, domains and tails", () => {
    for (const segments of [4, 32, 64, 256]) {
      expectSound(question("gelu", "s8.5", "s8.5", { size: { segments } }), "uniform", whole);
    }
    for (const tail of ["clamp", "extend"] as const) {
      const narrow = problem("tanh", [-1.3, 2.2], { input: "s8.5", output: "s8.6", tails: [tail, tail] });
      expectSound(narrow, "uniform", whole);
    }
    expectSound(question("relu", "s5.2", "s4.1"), "uniform", whole);
    expectSound(question("gelu", "s8.5", "s8.5", { size: { maxError: 1 / 32 } }), "uniform", whole);
  });

  test.each([
    ["floats", problem("gelu", [-4, 4]), /integers of at most 8 bits/],
    ["wider codes", question("gelu", "s16.12", "s16.12"), /integers of at most 8 bits/],
    [
      "coefficient formats",
      question("gelu", "s8.5", "s8.5", { coefficients: { slope: format("s8.6"), intercept: format("s8.5") } }),
      /no coefficient formats/,
    ],
    ["a reduction", question("tanh", "s8.5", "s8.7", { reductions: [{ by: "odd" }] }), /no reductions/],
    [
      "lines as tails",
      question("gelu", "s8.5", "s8.5", { tails: ["clamp", { slope: 1, intercept: 0 }] }),
      /no lines as tails/,
    ],
  ])("refuses %s", (_what, asked, message) => {
    expect(() => fitted(asked, "uniform", whole)).toThrow(message);
  });
});
