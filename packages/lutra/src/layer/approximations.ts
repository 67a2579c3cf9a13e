// The published methods that search no table, by the function they approximate: each as a kernel whose output format says what its
// codes mean. For binary32 inputs a formula, for integers an integer algorithm.

import type { Kernel } from "../kernel/index.ts";
import { codeRange, decode, type Format, type Interval, integerFormat } from "../num/index.ts";
import { CORDIC_FUNCTIONS, type CordicFunction, cordic } from "./cordic.ts";
import { hGelu, iErfFloat, iExpFloat, iGeluFloat } from "./float-forms.ts";
import { iErf, iExp, iGelu } from "./i-bert.ts";
import { iLayerNorm, iSoftmax, iSqrt } from "./i-bert-rows.ts";
import { polynomial } from "./polynomial.ts";
import { softermax } from "./softermax.ts";

export interface Approximation {
  /** "i-bert", "i-bert-corrected", "h-gelu", "cordic-8", "softermax". */
  readonly method: string;
  /** @throws LutraError "unsupported" if the method cannot take the input format */
  readonly kernel: () => Kernel;
}

/** Iterations of CORDIC that are compared. */
const ITERATIONS = [8, 12, 16] as const;

/**
 * The methods for a function and an input format; none for functions that no method names. Softermax has an input format of its own,
 * which its kernel's spec says, whatever the format asked for.
 * @param maxRow longest row of "softmax", length of the rows of "layer-norm"
 */
export function approximations(fn: string, input: Format, maxRow = 1): readonly Approximation[] {
  if (input.kind === "float") return input.name === "binary32" ? (FORMULAS[fn] ?? []) : [];
  return [...integerMethods(fn, input, maxRow), ...cordicMethods(fn, input)];
}

const FORMULAS: Readonly<Record<string, readonly Approximation[]>> = {
  gelu: [
    { method: "i-bert", kernel: iGeluFloat },
    { method: "h-gelu", kernel: hGelu },
  ],
  erf: [{ method: "i-bert", kernel: iErfFloat }],
  exp: [{ method: "i-bert", kernel: iExpFloat }],
};

function integerMethods(fn: string, input: Format, maxRow: number): readonly Approximation[] {
  const published = (kernel: () => Kernel): Approximation => ({ method: "i-bert", kernel });
  const corrected = (kernel: () => Kernel): Approximation => ({ method: "i-bert-corrected", kernel });
  switch (fn) {
    case "gelu":
      return [published(() => iGelu(input)), corrected(() => iGelu(input, { erfShift: "corrected" }))];
    case "erf":
      return [published(() => iErf(input)), corrected(() => iErf(input, { erfShift: "corrected" }))];
    case "exp":
      return [published(() => iExp(input)), corrected(() => iExp(input, { expScale: "corrected" }))];
    case "sqrt":
      return [published(() => iSqrt(input))];
    case "softmax":
      return [
        published(() => iSoftmax(input, { maxRow })),
        corrected(() => iSoftmax(input, { maxRow, expScale: "corrected" })),
        { method: "softermax", kernel: () => softermax(maxRow) },
      ];
    case "layer-norm":
      return [published(() => iLayerNorm(input, { columns: maxRow, bias: false }))];
    default:
      return [];
  }
}

function cordicMethods(fn: string, input: Format): readonly Approximation[] {
  const known = CORDIC_FUNCTIONS.find((name) => name === fn);
  if (known === undefined) return [];
  const output = cordicOutput(known, input);
  return ITERATIONS.map((iterations) => ({
    method: `cordic-${iterations}`,
    kernel: () => cordic(known, input, { iterations, output }),
  }));
}

/** 32 bits, with as many of CORDIC's 26 fraction bits as the largest answer leaves; exp saturates at 2^19. */
function cordicOutput(fn: CordicFunction, input: Format): Format {
  const largest = Math.max(0, decode(input, codeRange(input).hi));
  const smallest = input.kind === "integer" ? input.scale : 1;
  const octaves: Readonly<Record<CordicFunction, number>> = {
    exp: Math.min(19, Math.ceil(largest / Math.LN2)),
    tanh: 1,
    sqrt: octavesOf(Math.sqrt(largest)),
    reciprocal: octavesOf(1 / smallest),
  };
  return integerFormat(true, 32, 2 ** -Math.max(0, Math.min(26, 31 - octaves[fn])));
}

/** Least n >= 0 with x <= 2^n. */
function octavesOf(x: number): number {
  let n = 0;
  while (2 ** n < x) n++;
  return n;
}

/**
 * Piecewise polynomials of a function on equal segments: "polynomial-1" to "polynomial-3" (minimax) and "taylor-1" to "taylor-3".
 * @param derivatives the function and its first three derivatives; Taylor's only as far as they go
 */
export function polynomials(
  fn: string,
  domain: Interval,
  derivatives: readonly ((x: number) => number)[],
  segments: number,
): readonly Approximation[] {
  const degrees = [1, 2, 3] as const;
  const of = (degree: 1 | 2 | 3, kind: "minimax" | "taylor"): Approximation => ({
    method: `${kind === "minimax" ? "polynomial" : kind}-${degree}`,
    kernel: () => polynomial(fn, domain, derivatives, { segments, degree, kind }),
  });
  return [
    ...degrees.map((degree) => of(degree, "minimax")),
    ...degrees.filter((degree) => degree < derivatives.length).map((degree) => of(degree, "taylor")),
  ];
}

/** Other functions that papers put in a function's place, as text for parseFn: what they miss, no table of them can regain. */
export const SUBSTITUTES: Readonly<Record<string, readonly { readonly method: string; readonly fn: string }[]>> = {
  gelu: [
    { method: "x*sigmoid(1.702x)", fn: "quick-gelu" },
    { method: "h-gelu", fn: "x*min(max(1.702*x+3, 0), 6)/6" },
    { method: "gelu-tanh", fn: "gelu-tanh" },
  ],
};
