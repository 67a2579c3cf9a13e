// Kernels for the tests of run, made by hand: what they compute does not matter, only that it is all there.

import { BINARY32, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { elementwise, fill, type Kernel } from "../../packages/lutra/src/run/index.ts";

/** max(2 x + 1, -3) in binary32 and signed codes; (2 x + 4) / 2 or 3 x / 2 in unsigned ones. */
export function kernelOf(format: string): Kernel {
  const input = format === "binary32" ? BINARY32 : parseFormat(format);
  const spec = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input, output: input };
  const table = { spec, reductions: [], clamp: [-Infinity, Infinity] } as const;
  const isUnsigned = format.startsWith("u");
  const index = { rule: "breakpoints", codes: [isUnsigned ? 9 : -2] } as const;
  const coefficients = isUnsigned
    ? [
        [4, 3],
        [0, 2],
      ]
    : [
        [-3, 1],
        [0, 2],
      ];
  const rounding = isUnsigned ? "half-up" : "half-even";
  return fill(elementwise(spec), { f: { ...table, index, coefficients, shift: isUnsigned ? 1 : 0, rounding } });
}
