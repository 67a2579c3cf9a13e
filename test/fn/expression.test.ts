// Expressions a user types: what they mean, what they print as, how their errors read, and their derivatives.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { type Fn, functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import { expressionText } from "./arbitrary.ts";

function errorOf(text: string): LutraError {
  try {
    parseFn(text);
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error(`"${text}" was accepted`);
}

describe("an expression with a mistake is refused at the character", () => {
  const mistakes: readonly (readonly [text: string, column: number, message: RegExp, note?: RegExp])[] = [
    ["x * ", 5, /missing here: the expression ends/],
    ["sigmoid()", 9, /missing here: found "\)"/],
    ["x**2", 2, /a power is written \^/],
    ["", 1, /empty/, /try/],
    ["   ", 4, /empty/],
    ["(x", 1, /never closed/],
    ["tanh(x", 5, /never closed/],
    ["x)", 2, /closes nothing/],
    ["2x", 2, /an operator is missing before "x"/],
    ["2 (x)", 3, /an operator is missing/],
    ["x@2", 2, /unexpected character "@"/],
    ["x^x", 3, /an exponent must be a constant/, /exp\(x\*log\(x\)\)/],
    ["x^5000", 3, /between -1024 and 1024/],
    ["x+1e999", 3, /too large/],
    ["sin x", 1, /needs its argument in parentheses/],
    ["sin + x", 1, /needs its argument in parentheses/],
    ["sigmoid(x, 2)", 1, /takes 1 argument, got 2/],
    ["min(x)", 1, /takes 2 arguments, got 1/],
    ["x, 2", 2, /comma/],
    ["x*sigmod(x)", 3, /unknown function or variable "sigmod"/, /did you mean sigmoid\?/],
    ["y+1", 1, /unknown function or variable "y"/],
    ["gleu", 1, /unknown/, /did you mean gelu\?/],
    ["GELU_tanh", 1, /unknown/, /did you mean gelu-tanh\?/],
    ["softmax", 1, /function of a row/, /exp, reciprocal/],
    ["exp'(x)", 1, /write it as an expression/],
    ["x*hard-swich(x)", 3, /unknown/],
    [`${"(".repeat(80)}x${")".repeat(80)}`, 66, /nested deeper than 64/],
  ];
  for (const [text, column, message, note] of mistakes) {
    it(`${text.length > 40 ? `${text.slice(0, 20)}...` : `"${text}"`}`, () => {
      const error = errorOf(text);
      expect(error.code).toBe("bad-expression");
      expect(error.message).toMatch(message);
      expect(error.where).toBe(`column ${column} of "${text}"`);
      if (note !== undefined) expect(error.note).toMatch(note);
    });
  }

  it("its note shows the text with a caret below the character", () => {
    expect(errorOf("x + sgmoid(x)").note).toMatch(/^x \+ sgmoid\(x\)\n {4}\^\ndid you mean sigmoid\?/);
  });

  it("a long product is differentiated twice, and enclosed, in a moment: shared parts are computed once", () => {
    const second = parseFn(`x${"*sin(x)".repeat(70)}`)
      .derivative()
      .derivative();
    const { lo, hi } = second.enclose({ lo: 0.5, hi: 0.5 + 2 ** -10 });
    const value = second.evaluate(0.5);
    expect(lo <= value && value <= hi).toBe(true);
  });

  it("text beyond 500 characters is refused, in a moment", () => {
    expect(errorOf("x+".repeat(1e6)).message).toMatch(/at most 500 characters/);
  });
});

describe("an expression means what it says", () => {
  const cases: readonly (readonly [text: string, x: number, value: number])[] = [
    ["1-2-3+x", 0, -4],
    ["2*x^2/4", 3, 4.5],
    ["-x^2", 3, -9],
    ["2^3^2+x", 0, 512],
    ["x^-2", 4, 1 / 16],
    ["x^(1/2)", 9, 3],
    ["pow(x, 3)", 2, 8],
    ["min(x, 1) + max(x, 3)", 2, 4],
    ["clamp(x, 0, 6)", 7, 6],
    ["where(x-1, 10, 20)", 1, 10],
    ["where(x-1, 10, 20)", 0.5, 20],
    ["abs(x) + relu(-x)", -2, 4],
    ["x-relu(x)", 5, 0],
    ["hard-sigmoid(x)-x", 0, 0.5],
    ["1e-3*x + .5", 1000, 1.5],
    ["cos(pi*x)", 1, -1],
    ["log(e^2*x)", 1, 2],
    ["e^x", 0, Number.NaN],
  ];
  for (const [text, x, value] of cases) {
    if (Number.isNaN(value)) continue;
    it(`${text} at ${x} is ${value}`, () => expect(parseFn(text).evaluate(x)).toBeCloseTo(value, 14));
  }

  it("a spelled-out named function is that function", () => {
    for (const [text, name] of [
      ["x*sigmoid(1.702*x)", "quick-gelu"],
      ["0.5 * x * (1 + erf(x / sqrt(2)))", "gelu"],
      ["x*(1+erf(x/sqrt(2)))/2", "gelu"],
      ["0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))", "gelu-tanh"],
      ["x * tanh(softplus(x))", "mish"],
      ["x/(1+exp(-x))", "silu"],
      ["1/(1+exp(-x))", "sigmoid"],
      ["max(0, x)", "relu"],
      ["1/x", "reciprocal"],
    ] as const) {
      expect(parseFn(text).text).toBe(name);
    }
  });

  it("every definition has the values of the function it stands for", () => {
    const forms: Readonly<Record<string, string>> = {
      gelu: "x*erfc(-x/sqrt(2))/2",
      "gelu-tanh": "x*sigmoid(2*sqrt(2/pi)*(x+0.044715*x^3))+0",
      mish: "x*tanh(log(1+exp(x)))",
      "hard-swish": "x*clamp(x/6+0.5,0,1)",
      elu: "where(x,x,expm1(x))",
      softplus: "log1p(exp(-abs(x)))+relu(x)",
    };
    for (const [name, form] of Object.entries(forms)) {
      const [fn, spelled] = [parseFn(name), parseFn(form)];
      for (let x = -9; x < 9; x += 0.173) {
        expect(Math.abs(fn.evaluate(x) - spelled.evaluate(x)), `${name} at ${x}`).toBeLessThan(1e-13);
      }
    }
  });

  it("limits at infinity come out where the formula itself gives none", () => {
    const fn = parseFn("x*sigmoid(3*x)");
    expect(fn.evaluate(-Infinity)).toBeCloseTo(0, 300);
    expect(fn.evaluate(Infinity)).toBe(Infinity);
  });

  it("kinks are found, also of shifted and curved arguments", () => {
    expect(parseFn("abs(2*x-3)+min(x,1)").kinks).toEqual([1, 1.5]);
    expect(parseFn("hard-swish").kinks).toEqual([-3, 3]);
    expect(parseFn("selu").kinks).toEqual([0]);
    expect(parseFn("elu").kinks).toEqual([]);
    expect(parseFn("elu").derivative().kinks).toEqual([0]);
    expect(parseFn("relu(x^2-2)").kinks.map((x) => x ** 2)).toEqual([expect.closeTo(2, 14), expect.closeTo(2, 14)]);
  });

  it("the domain of log and sqrt of a line is found", () => {
    expect(parseFn("log(2*x+3)").domain).toEqual({ lo: -1.5, hi: Infinity });
    expect(parseFn("sqrt(1-x)").domain).toEqual({ lo: -Infinity, hi: 1 });
    expect(parseFn("log").evaluate(-1)).toBeNaN();
  });
});

describe("printing", () => {
  it("gives text that parses back to the same function (random expressions)", () => {
    fc.assert(
      fc.property(expressionText, fc.double({ min: -5, max: 5, noNaN: true }), (text, x) => {
        const fn = parseFn(text);
        const again = parseFn(fn.text);
        expect(again.text).toBe(fn.text);
        expect(again.evaluate(x)).toEqual(fn.evaluate(x));
      }),
      { seed: 3, numRuns: 3000 },
    );
  });

  it("also of derivatives (random expressions)", () => {
    fc.assert(
      fc.property(expressionText, (text) => {
        const { text: printed } = parseFn(text).derivative();
        if (printed.length <= 500) expect(parseFn(printed).text).toBe(printed);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });

  it("of every named function and its two derivatives", () => {
    for (const name of functionNames()) {
      const first = parseFn(name).derivative();
      for (const fn of [parseFn(name), first, first.derivative()]) expect(parseFn(fn.text).text).toBe(fn.text);
    }
  });
});

/** The central difference quotient, and how far it can be trusted. */
function quotient(fn: Fn, x: number): number {
  const h = 2 ** -17;
  return (fn.evaluate(x + h) - fn.evaluate(x - h)) / (2 * h);
}

describe("derivatives agree with difference quotients (sampled)", () => {
  for (const name of [
    ...functionNames(),
    "abs",
    "relu",
    "expm1",
    "log1p",
    "erfc",
    "x^2.5",
    "log(1+x^2)/x",
    "min(x^2,x+1)",
    "x^-3*exp(x)",
  ]) {
    it(`${name}, three times over`, () => {
      let fn = parseFn(name);
      for (let order = 0; order < 3; order++) {
        const derivative = fn.derivative();
        for (let x = 0.13; x < 4; x += 0.0917) {
          for (const at of fn.domain.lo < -4 ? [x, -x] : [x]) {
            if (fn.kinks.some((kink) => Math.abs(kink - at) < 0.01)) continue;
            const exact = derivative.evaluate(at);
            const scale = 1 + Math.abs(fn.evaluate(at)) + Math.abs(exact) / Math.min(1, at * at);
            expect(Math.abs(quotient(fn, at) - exact) / scale, `${derivative.text} at ${at}`).toBeLessThan(2e-8);
          }
        }
        fn = derivative;
      }
    });
  }

  it("random expressions, wherever the derivative is enclosed tightly", () => {
    fc.assert(
      fc.property(expressionText, fc.double({ min: -4, max: 4, noNaN: true }), (text, x) => {
        const fn = parseFn(text);
        const h = 2 ** -12;
        const slopes = fn.derivative().enclose({ lo: x - h, hi: x + h });
        const size = Math.abs(fn.evaluate(x)) + Math.abs(slopes.lo) + Math.abs(slopes.hi);
        const noise = (fn.errorAt(x + h) + fn.errorAt(x - h)) / h + 1e-11 * size;
        if (!(slopes.hi - slopes.lo < 1e3) || fn.text.includes("where") || !Number.isFinite(noise)) return;
        if (/(abs|relu|elu|hard-\w+)'/.test(fn.text)) return;
        const chord = (fn.evaluate(x + h) - fn.evaluate(x - h)) / (2 * h);
        expect(chord).toBeGreaterThanOrEqual(slopes.lo - noise);
        expect(chord).toBeLessThanOrEqual(slopes.hi + noise);
      }),
      { seed: 5, numRuns: 1500 },
    );
  });
});
