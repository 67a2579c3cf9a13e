// The small parts of source text. Constants: as short as can be, and read back to the same bits by whoever rounds text to binary32 or to
// binary64 first; names; comments.
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, fromBits32 } from "../../packages/lutra/src/num/index.ts";
import { comment, decimal32, sourceName } from "../../packages/lutra/src/target/source/index.ts";

it("gives binary32 constants back", () => {
  const finite = fc.integer({ min: 0, max: 0x7f7fffff }).map(fromBits32);
  const check = fc.property(finite, fc.boolean(), (x, isNegative) => {
    const value = isNegative ? -x : x;
    expect(Math.fround(Number(decimal32(value)))).toBe(value + 0);
    expect(decimal32(value).replace(/[-.]|e.*$/g, "").length).toBeLessThanOrEqual(17);
  });
  fc.assert(check, { seed: 3, numRuns: 20000 });
});

it.each([
  [0, "0"],
  [0.5, "0.5"],
  [-3, "-3"],
  [Math.fround(0.1), "0.1"],
  [100, "1e+2"],
  [1.401298464324817e-45, "1.40129846e-45"],
  [3.4028234663852886e38, "3.4028235e+38"],
])("writes %d as %s", (x, text) => expect(decimal32(x)).toBe(text));

it("names functions and files after the function, or as it is told", () => {
  const kernel = (fn: string): Kernel =>
    elementwise({ fn, domain: { lo: 0, hi: 1 }, input: BINARY32, output: BINARY32 });
  expect(sourceName(kernel("x*sigmoid(1.702*x)"), {})).toBe("lut_x_sigmoid_1_702_x");
  expect(sourceName(kernel("x+".repeat(5000)), {}).length).toBeLessThan(60);
  expect(() => sourceName(kernel("gelu"), { name: "../gelu" })).toThrow("a name has letters");
});

it("keeps a comment in its line whatever a name holds", () => {
  expect(comment(["made by: lutra emit a\nb\\", "what??/", "\u2028"])).toBe(
    "// made by: lutra emit a_b_\n// what? ?/\n// _",
  );
});
