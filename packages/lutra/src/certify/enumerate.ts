// Certificates by enumeration: every code of an integer format up to 16 bits, of binary16 or of bfloat16, through the interpreter.

import { hash, LutraError, type Work } from "../base/index.ts";
import type { Fn } from "../fn/index.ts";
import { interpret, type Kernel, tablesOf, type Value } from "../kernel/index.ts";
import { allCodes, decode, encode, type Format, nextDown32, ulpOf } from "../num/index.ts";
import { segmentCount, segmentOf, type Table } from "../table/index.ts";
import { alone, bumped, collectDead, type Direction, entriesOf } from "./dead.ts";
import { locate } from "./locate.ts";
import type { Certificate, DeadEntry, ErrorBound, SegmentError } from "./types.ts";

export type EnumeratedProof = Omit<Certificate, "spec" | "kernelHash" | "properties" | "holes">;

type Lookup = Value & { readonly op: "lookup" };

/** Everything known about each code: what went in, what came out, what should have. All arrays have one element per code. */
interface Run {
  readonly kernel: Kernel;
  readonly param: string;
  readonly codes: Float64Array;
  readonly outputs: Float64Array;
  readonly exact: Float64Array;
  /** Bound on the reference's own error. */
  readonly doubt: Float64Array;
}

/**
 * Compares an element-wise kernel of one input with a function on every code of its input format inside the domain.
 * @throws LutraError "infeasible" if the error is not finite at a code, "unsupported" for kernels of several inputs
 */
export function* enumerateKernel(kernel: Kernel, fn: Fn, relativeFloor: number): Work<EnumeratedProof> {
  const run = yield* runAll(kernel, fn);
  const { output } = kernel.spec;
  const errors = run.outputs.map((code, i) => decode(output, code) - (run.exact[i] as number));
  const worst = (weight: (size: number) => number): ErrorBound => worstCode(run, errors, weight);
  const segments: SegmentError[] = [];
  const dead: DeadEntry[] = [];
  for (const [hole, uses] of lookupsByHole(kernel)) {
    yield { stage: `entries of ${hole}`, done: 0, total: 1 };
    const table = tablesOf(kernel)[hole] as Table;
    const places = uses.map((use) => placesOf(run, use, table));
    segments.push(...summarise(table, hole, run, errors, places));
    if (uses.length === 1) dead.push(...deadEntries(table, hole, run, places[0] as Places));
  }
  return {
    shown: "enumerated",
    over: `all ${withCommas(run.codes.length)} codes of the input format inside the domain`,
    absolute: worst(() => 1),
    relative: { ...worst((f) => 1 / Math.max(f, relativeFloor)), floor: relativeFloor },
    ulp: worst((f) => 1 / ulpOf(output, f)),
    mse: mean(errors, (e) => e * e),
    ...countOff(run, output),
    segments,
    dead,
  };
}

const CHUNK = 4096;

function* runAll(kernel: Kernel, fn: Fn): Work<Run> {
  const { spec } = kernel;
  const param = onlyParam(kernel);
  const codes = allCodes(spec.input).filter((code) => {
    const x = decode(spec.input, code);
    return x >= spec.domain.lo && x <= spec.domain.hi;
  });
  const exact = new Float64Array(codes.length);
  const doubt = new Float64Array(codes.length);
  const outputs = new Float64Array(codes.length);
  for (let start = 0; start < codes.length; start += CHUNK) {
    yield { stage: "comparing every code", done: start, total: codes.length };
    const chunk = codes.subarray(start, start + CHUNK);
    outputs.set(outputOf(kernel, param, chunk), start);
    chunk.forEach((code, i) => {
      const x = decode(spec.input, code);
      exact[start + i] = fn.evaluate(x);
      doubt[start + i] = fn.errorAt(x);
      const error = decode(spec.output, outputs[start + i] as number) - (exact[start + i] as number);
      if (!(Math.abs(error) + (doubt[start + i] as number) < Infinity))
        throw notFinite(fn.text, x, exact[start + i] as number, outputs[start + i] as number);
    });
  }
  return { kernel, param, codes, outputs, exact, doubt };
}

function onlyParam(kernel: Kernel): string {
  const params = kernel.values.flatMap((value) => (value.op === "param" ? [value] : []));
  const [param] = params;
  if (param === undefined || params.length > 1 || param.over !== "element" || kernel.results.length !== 1) {
    throw new LutraError(
      "unsupported",
      `only kernels of one element-wise input can be enumerated, this has ${params.length}`,
    );
  }
  return param.name;
}

function outputOf(kernel: Kernel, param: string, codes: Float64Array): Float64Array {
  return interpret(kernel, { [param]: codes }, 1, codes.length)[0] as Float64Array;
}

function notFinite(fn: string, x: number, exact: number, answer: number): LutraError {
  return new LutraError(
    "infeasible",
    `the error at ${x} is not finite: ${fn} is ${exact}, the kernel answers ${answer}`,
    {
      where: `input ${x}`,
      note: "narrow the domain to where the function is finite in the output format",
    },
  );
}

function withCommas(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

function worstCode({ codes, exact, doubt }: Run, errors: Float64Array, weight: (size: number) => number): ErrorBound {
  let upper = 0;
  let lower = 0;
  let at: number | null = null;
  errors.forEach((error, i) => {
    const size = Math.abs(exact[i] as number);
    const around = doubt[i] as number;
    const above = (Math.abs(error) * (1 + 2 ** -52) + around) * weight(Math.max(0, size - around)) * (1 + 2 ** -51);
    const below = (Math.abs(error) * (1 - 2 ** -52) - around) * weight(size + around) * (1 - 2 ** -51);
    upper = Math.max(upper, above);
    if (at === null || below > lower) {
      lower = Math.max(below, 0);
      at = codes[i] as number;
    }
  });
  return { upper, lower, at };
}

/** Distances to the correctly rounded code. Where the reference cannot tell which of two codes that is, the larger distance counts. */
function countOff({ outputs, exact, doubt }: Run, output: Format): Pick<Certificate, "offBy" | "undecided"> {
  if (output.kind === "float") return { offBy: null, undecided: 0 };
  const offBy: number[] = [];
  let undecided = 0;
  outputs.forEach((code, i) => {
    const y = exact[i] as number;
    const around = doubt[i] as number;
    const low = encode(output, y - around);
    const high = encode(output, y + around);
    if (low !== high) undecided++;
    const distance = Math.max(Math.abs(code - low), Math.abs(code - high));
    while (offBy.length <= distance) offBy.push(0);
    offBy[distance] = (offBy[distance] as number) + 1;
  });
  return { offBy, undecided };
}

/** Where each code arrives in one lookup. */
interface Places {
  readonly segments: Int32Array;
  readonly arguments: Float64Array;
}

function lookupsByHole(kernel: Kernel): ReadonlyMap<string, readonly Lookup[]> {
  const uses = new Map<string, Lookup[]>();
  for (const value of kernel.values) {
    if (value.op === "lookup") uses.set(value.hole, [...(uses.get(value.hole) ?? []), value]);
  }
  return uses;
}

function placesOf({ kernel, param, codes }: Run, lookup: Lookup, table: Table): Places {
  const seen = outputOf({ ...kernel, results: [lookup.args[0]] }, param, codes);
  const inputs = seen.length === codes.length ? seen : new Float64Array(codes.length).fill(seen[0] as number);
  const places = { segments: new Int32Array(codes.length), arguments: new Float64Array(codes.length) };
  inputs.forEach((x, i) => {
    const { segment, argument } = table.spec.input.kind === "integer" ? locateInteger(table, x) : locate(table, x);
    places.segments[i] = segment;
    places.arguments[i] = argument;
  });
  return places;
}

/** Integer tables know odd and even only: both look up |code|. */
function locateInteger(table: Table, code: number): { readonly segment: number; readonly argument: number } {
  const reduced = table.reductions.length === 0 ? code : Math.abs(code);
  const argument = Math.min(table.clamp[1], Math.max(table.clamp[0], reduced));
  return { segment: segmentOf(table.index, segmentCount(table), argument), argument };
}

/** Codes by segment, ascending; a code that arrives twice (two lookups of one table) counts twice. */
function codesBySegment(count: number, places: readonly Places[]): readonly number[][] {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const { segments } of places) segments.forEach((segment, i) => void members[segment]?.push(i));
  return members;
}

function summarise(
  table: Table,
  hole: string,
  run: Run,
  errors: Float64Array,
  places: readonly Places[],
): readonly SegmentError[] {
  const reached = places.map((place) => place.arguments);
  return codesBySegment(segmentCount(table), places).map((members, segment) => {
    const inside = Float64Array.from(members, (i) => errors[i] as number);
    const arrivals = members.flatMap((i) => reached.map((values) => values[i] as number));
    return {
      hole,
      segment,
      from: members.length === 0 ? null : least(arrivals),
      to: members.length === 0 ? null : -least(arrivals.map((t) => -t)),
      count: members.length,
      minError: members.length === 0 ? 0 : least(inside),
      maxError: members.length === 0 ? 0 : -least(inside.map((e) => -e)),
      meanError: mean(inside, (e) => e),
      meanSquare: mean(inside, (e) => e * e),
      digest: hash(members.map((i) => [run.codes[i], run.outputs[i]])),
    };
  });
}

function least(values: ArrayLike<number>): number {
  let result = Infinity;
  for (let i = 0; i < values.length; i++) result = Math.min(result, values[i] as number);
  return result;
}

function mean(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return values.length === 0 ? 0 : sum / values.length;
}

/** Each entry bumped both ways and every code of its segment run again. */
function deadEntries(table: Table, hole: string, run: Run, places: Places): readonly DeadEntry[] {
  const members = codesBySegment(segmentCount(table), [places]);
  const unchanged = (indices: readonly number[], other: Table): boolean => sameOutputs(run, hole, indices, other);
  return collectDead(table, hole, {
    coefficient: (degree, segment, direction) => {
      const value = bumped(table, table.coefficients[degree]?.[segment] as number, direction);
      return unchanged(members[segment] as number[], alone(table, entriesOf(table, segment, degree, value)));
    },
    breakpoint: (position, direction) => {
      const [from, to] = direction === 1 ? [position + 1, position] : [position, position + 1];
      const moved = movedBy(table, position, direction);
      const indices = (members[from] as number[]).filter((i) => places.arguments[i] === moved);
      return unchanged(indices, alone(table, entriesOf(table, to)));
    },
  });
}

/** The one argument that changes its segment when a breakpoint is bumped: itself when raised, the one below it when lowered. */
function movedBy(table: Table, position: number, direction: Direction): number {
  const code = table.index.rule === "breakpoints" ? (table.index.codes[position] as number) : Number.NaN;
  if (direction === 1) return code;
  return table.spec.input.kind === "integer" ? code - 1 : nextDown32(code);
}

function sameOutputs(run: Run, hole: string, indices: readonly number[], other: Table): boolean {
  const values = run.kernel.values.map((value) =>
    value.op === "lookup" && value.hole === hole ? { ...value, table: other } : value,
  );
  const kernel = { ...run.kernel, values };
  // A live entry mostly shows at the first few codes.
  for (let start = 0, size = 4; start < indices.length; start += size, size = Math.min(CHUNK, size * 8)) {
    const chunk = indices.slice(start, start + size);
    const outputs = outputOf(
      kernel,
      run.param,
      Float64Array.from(chunk, (i) => run.codes[i] as number),
    );
    if (chunk.some((i, j) => outputs[j] !== run.outputs[i])) return false;
  }
  return true;
}
