// A binary32 table as the steps of evaluate: symmetries, clamp, line. A NaN stays a NaN, and -0 is told from 0 where evaluate tells them apart.

import { BINARY32, type Interval } from "../num/index.ts";
import type { Reduction, Table } from "../table/index.ts";
import type { KernelBuilder } from "./build.ts";
import { chosen, type Reached, reachedSegments } from "./expand-segments.ts";

type Symmetry = Extract<Reduction, { readonly by: "odd" | "even" | "reflect" | "complement" }>;

/** Null if the table stays whole: too many segments, a reduction by the bits of a float, answers that are rounded, a clamp of no binary32. */
export function binary32Steps(build: KernelBuilder, table: Table, x: number, maxSegments: number): number | null {
  const { reductions, spec, clamp } = table;
  const isRounded = spec.output.kind === "float" && spec.output.name !== "binary32";
  if (isRounded || !reductions.every(isSymmetry) || !clamp.every((end) => Object.is(Math.fround(end), end)))
    return null;
  const reached = reachedSegments(table, argumentRange(table), BINARY32);
  if (reached.segments.length > maxSegments) return null;
  return behind(build, reductions, x, (t) => line(build, table, t, reached));
}

function isSymmetry(reduction: Reduction): reduction is Symmetry {
  const { by } = reduction;
  return by === "odd" || by === "even" || by === "reflect" || by === "complement";
}

/** What the lines are asked for, infinities included: the innermost symmetry leaves one sign. */
function argumentRange({ reductions, clamp }: Table): Interval {
  const innermost = reductions.at(-1)?.by;
  const isBelow = innermost === "reflect" || innermost === "complement";
  const [lo, hi] = [innermost === undefined || isBelow ? -Infinity : 0, isBelow ? 0 : Infinity];
  const clamped = (t: number): number => Math.min(clamp[1], Math.max(clamp[0], t));
  return { lo: clamped(lo), hi: clamped(hi) };
}

/** The reductions, outermost first, around the rest of the table. */
function behind(
  build: KernelBuilder,
  [reduction, ...inner]: readonly Symmetry[],
  x: number,
  rest: (t: number) => number,
): number {
  if (reduction === undefined) return rest(x);
  const zero = build.constant(0);
  const negated = (value: number): number => build.binary("sub", build.constant(-0), value);
  const table = (t: number): number => behind(build, inner, t, rest);
  switch (reduction.by) {
    case "odd": {
      const y = table(build.select(x, zero, negated(x), x));
      return build.select(x, zero, negated(y), y);
    }
    case "even":
      return table(build.binary("max", x, negated(x)));
    case "reflect":
      return build.binary("add", table(build.binary("min", x, negated(x))), build.binary("max", x, zero));
    case "complement": {
      const y = table(build.select(zero, x, negated(x), x));
      return build.select(zero, x, build.binary("sub", build.constant(1), y), y);
    }
    default:
      return reduction satisfies never;
  }
}

function line(build: KernelBuilder, table: Table, x: number, { segments, starts }: Reached): number {
  const [low, high] = table.clamp;
  const raised = low === -Infinity ? x : build.binary("max", x, build.constant(low));
  const t = high === Infinity ? raised : build.binary("min", raised, build.constant(high));
  const [intercepts, slopes] = table.coefficients.map((column) => segments.map((i) => column[i] as number));
  const intercept = chosen(build, t, intercepts ?? [], starts);
  if (slopes !== undefined)
    return build.binary("add", build.binary("mul", chosen(build, t, slopes, starts), t), intercept);
  // The least of -Infinity and a NaN is the NaN, and of what is at least -Infinity the greater is the other.
  return build.binary("max", intercept, build.binary("min", t, build.constant(-Infinity)));
}
