// Piecewise polynomials of degree 1 to 3 on equal segments, by Horner's rule in binary32: minimax (Remez) or Taylor at each segment's
// centre. A Table holds lines, so the coefficients are lookups of their own behind one index; no hole is left open.

import { LutraError } from "../base/index.ts";
import { fill, type Kernel, KernelBuilder } from "../kernel/index.ts";
import { BINARY32, decode, encode, type Format, type Interval, minimaxPolynomial } from "../num/index.ts";
import { MAX_SEGMENTS, type Spec, type Table } from "../table/index.ts";

export interface PolynomialOptions {
  /** At most 65,536. */
  readonly segments: number;
  readonly degree: 1 | 2 | 3;
  readonly kind: "minimax" | "taylor";
  /** What stored coefficients are rounded to; binary32 if absent. */
  readonly coefficients?: Format;
}

/**
 * y = ((c3 u + c2) u + c1) u + c0 with u = x - centre, each product and sum rounded to binary32; x clamped to the domain first.
 * @param derivatives the function, and for "taylor" its derivatives up to the degree
 * @throws LutraError "bad-argument" for other degrees, numbers of segments or infinite domains; "infeasible" where the function has no
 * finite values there
 */
export function polynomial(
  fn: string,
  domain: Interval,
  derivatives: readonly ((x: number) => number)[],
  options: PolynomialOptions,
): Kernel {
  check(domain, derivatives, options);
  const { segments, degree } = options;
  const ends = Array.from({ length: segments + 1 }, (_, i) =>
    Math.fround(domain.lo + ((domain.hi - domain.lo) * i) / segments),
  );
  const columns = columnsOf(ends, (segment) => pieceOn(segment, fn, derivatives, options), degree);
  const index: Table["index"] = { rule: "breakpoints", codes: ends.slice(1, -1) };
  const tables = Object.fromEntries(
    Object.entries(columns).map(([hole, values]) => [hole, constants(fn, domain, index, values)]),
  );
  const build = new KernelBuilder();
  const raised = build.binary("max", build.param("x", "element"), build.constant(ends[0] as number));
  const x = build.binary("min", raised, build.constant(ends[segments] as number));
  const stored = (hole: string): number => build.lookup(hole, (tables[hole] as Table).spec, x);
  const u = build.binary("sub", x, stored("centre"));
  let y = stored(`c${degree}`);
  for (let k = degree - 1; k >= 0; k--) y = build.binary("add", build.binary("mul", y, u), stored(`c${k}`));
  return fill(build.finish({ fn, domain, input: BINARY32, output: BINARY32 }, y), tables);
}

interface Piece {
  readonly centre: number;
  readonly coefficients: readonly number[];
}

/** What each hole stores, segment by segment: "centre", "c0", "c1", ... */
function columnsOf(
  ends: readonly number[],
  pieceOver: (segment: Interval) => Piece,
  degree: number,
): Readonly<Record<string, readonly number[]>> {
  const pieces = ends.slice(1).map((hi, i) => {
    const lo = ends[i] as number;
    if (lo < hi) return pieceOver({ lo, hi });
    throw new LutraError("bad-argument", `binary32 has no ${ends.length - 1} different segments near ${lo}`);
  });
  const columns: Record<string, readonly number[]> = { centre: pieces.map(({ centre }) => centre) };
  for (let k = 0; k <= degree; k++) columns[`c${k}`] = pieces.map(({ coefficients }) => coefficients[k] as number);
  return columns;
}

/** Coefficients about the binary32 number nearest to the segment's middle, rounded as stored. */
function pieceOn(
  segment: Interval,
  fn: string,
  derivatives: readonly ((x: number) => number)[],
  { degree, kind, coefficients: format = BINARY32 }: PolynomialOptions,
): Piece {
  const centre = Math.fround(segment.lo + (segment.hi - segment.lo) / 2);
  const real = kind === "taylor" ? taylor(derivatives, centre, degree) : minimax(derivatives, segment, centre, degree);
  const coefficients = real.map((c) => Math.fround(decode(format, encode(format, c))));
  if (coefficients.every(Number.isFinite)) return { centre, coefficients };
  throw new LutraError("infeasible", `${fn} has no finite polynomial on [${segment.lo}, ${segment.hi}]`, {
    note: "narrow the domain to where the function and its derivatives are finite",
  });
}

/** f^(k)(centre) / k! */
function taylor(derivatives: readonly ((x: number) => number)[], centre: number, degree: number): readonly number[] {
  let factorial = 1;
  return Array.from({ length: degree + 1 }, (_, k) => {
    factorial *= Math.max(1, k);
    return (derivatives[k] as (x: number) => number)(centre) / factorial;
  });
}

function minimax(
  [f]: readonly ((x: number) => number)[],
  { lo, hi }: Interval,
  centre: number,
  degree: number,
): readonly number[] {
  const found = minimaxPolynomial(f as (x: number) => number, lo, hi, degree);
  if (found === null) return [Number.NaN];
  // The same polynomial about another point: repeated synthetic division.
  const shifted = [...found.coefficients];
  const by = centre - found.centre;
  for (let k = 0; k < degree; k++) {
    for (let j = degree - 1; j >= k; j--) shifted[j] = (shifted[j] as number) + by * (shifted[j + 1] as number);
  }
  return shifted;
}

/** A table of one number per segment. */
function constants(fn: string, domain: Interval, index: Table["index"], values: readonly number[]): Table {
  const spec: Spec = { fn, domain, input: BINARY32, output: BINARY32 };
  const clamp = [-Infinity, Infinity] as const;
  return { spec, reductions: [], clamp, index, coefficients: [values], shift: 0, rounding: "half-even" };
}

/** @throws LutraError "bad-argument" */
function check(domain: Interval, derivatives: readonly unknown[], options: PolynomialOptions): void {
  const { segments, degree, kind } = options;
  if (!Number.isInteger(segments) || segments < 1 || segments > MAX_SEGMENTS) {
    throw new LutraError("bad-argument", `segments must be 1 to ${MAX_SEGMENTS}, got ${segments}`);
  }
  if (![1, 2, 3].includes(degree)) throw new LutraError("bad-argument", `degree must be 1, 2 or 3, got ${degree}`);
  const wanted = kind === "taylor" ? degree + 1 : 1;
  if (derivatives.length < wanted) {
    throw new LutraError(
      "bad-argument",
      `${kind} of degree ${degree} needs ${wanted} functions, got ${derivatives.length}`,
    );
  }
  if (domain.lo < domain.hi && Math.abs(domain.lo) < Infinity && Math.abs(domain.hi) < Infinity) return;
  throw new LutraError("bad-argument", `polynomials need a finite domain, got [${domain.lo}, ${domain.hi}]`);
}
