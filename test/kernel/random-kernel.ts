// Random kernels that verify accepts, as a fast-check arbitrary: every operation, lane, variation and rounding, tables of both kinds, several
// params and results. Each value is drawn freely and kept where the rules allow it; what shrinks is the list of drawn values.

import fc from "fast-check";
import {
  join,
  type Kernel,
  type KernelInputs,
  type Lane,
  laneOf,
  laneRange,
  type Op,
  type Over,
  type Value,
  verify,
} from "../../packages/lutra/src/kernel/index.ts";
import { BINARY32, codeRange, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Rounding, Spec, Table } from "../../packages/lutra/src/table/index.ts";

/** Longest row of a random kernel: sums of integers are proven up to it. */
const LONGEST_ROW = 96;

const LANES: readonly Lane[] = ["f32", "i8", "u8", "i16", "u16", "i32", "u32", "i64"];
const OVERS: readonly Over[] = ["element", "element", "element", "row", "column", "one"];
const ROUNDINGS: readonly Rounding[] = ["floor", "half-up", "half-even"];
const BINARY = ["add", "sub", "mul", "div", "min", "max"] as const;
const OPERATIONS = [
  ...BINARY,
  "shift-left",
  "shift-right",
  "bits",
  "cast",
  "select",
  "reduce",
  "lookup",
  "const",
] as const;
const CONSTANTS = [0, 1, -1, 2, 3, 7, 15, 16, 100, 127, 255, 1000, 32767, 65536, 1000003];
const REDUCTIONS = ["add", "max", "mean"] as const;

/** One drawn value: which operation, and numbers that choose its arguments, lane, rounding and constants. */
interface Drawn {
  readonly op: (typeof OPERATIONS)[number];
  readonly picks: readonly number[];
}

export interface RandomKernelOptions {
  /** Whether each value is computed from and for one element alone: no reductions, nothing per row or column. */
  readonly isElementwise?: boolean;
  /** The lanes of params; all if absent. */
  readonly lanes?: readonly Lane[];
}

/** Filled kernels of up to 4 params and 3 results. */
export function randomKernel({ isElementwise = false, lanes = LANES }: RandomKernelOptions = {}): fc.Arbitrary<Kernel> {
  const number = fc.nat(2 ** 16);
  const overs = isElementwise ? (["element", "one"] as const) : OVERS;
  const operations = OPERATIONS.filter((op) => !(isElementwise && op === "reduce"));
  const param = fc.record({
    lane: fc.constantFrom(...lanes),
    over: fc.constantFrom<Over>(...overs),
    isNarrow: fc.boolean(),
  });
  const value = fc.record({
    op: fc.constantFrom(...operations),
    picks: fc.array(number, { minLength: 5, maxLength: 5 }),
  });
  const drawn = fc.record({
    params: fc.array(param, { minLength: 1, maxLength: 4 }),
    values: fc.array(value, { minLength: 6, maxLength: 24 }),
    results: fc.integer({ min: 1, max: 3 }),
  });
  return drawn.map(({ params, values, results }) => {
    const given = params.map(({ lane, over, isNarrow }, i): Value => {
      const range = isNarrow && lane !== "f32" ? { range: [0, 100] as const } : {};
      // The first varies per element, so that there is something to compute.
      return { op: "param", name: `p${i}`, ...range, lane, over: i === 0 ? "element" : over };
    });
    const all = values.reduce<readonly Value[]>(extended, given);
    const last = all.length - 1;
    return kernelOf(
      all,
      Array.from({ length: Math.min(results, all.length) }, (_, i) => last - i),
    );
  });
}

function kernelOf(values: readonly Value[], results: readonly number[]): Kernel {
  const spec: Spec = { fn: "x", domain: EVERYTHING, input: BINARY32, output: BINARY32, maxRow: LONGEST_ROW };
  return { spec, values, results };
}

/** The values with the drawn one, where the rules allow it, if need be after bringing its second argument into range. */
function extended(values: readonly Value[], { op, picks }: Drawn): readonly Value[] {
  const value = attempt(values, op, picks as [number, number, number, number, number]);
  if (value === null) return values;
  const plain = accepted([...values, value]);
  if (plain !== null || !("args" in value)) return plain ?? values;
  const [a, b] = value.args;
  if (b === undefined || value.op === "select") return values;
  const [least, most] = value.op === "div" ? [1, 100] : value.op === "mul" ? [-5, 5] : [0, 13];
  const { lane, over } = values[b] as Value;
  const at = values.length;
  const inside: readonly Value[] = [
    { op: "const", value: lane.startsWith("u") ? Math.max(0, least) : least, lane, over: "one" },
    { op: "const", value: most, lane, over: "one" },
    { op: "max", args: [b, at], lane, over },
    { op: "min", args: [at + 2, at + 1], lane, over },
    { ...value, args: [a, at + 3] } as Value,
  ];
  return accepted([...values, ...inside]) ?? values;
}

function accepted(values: readonly Value[]): readonly Value[] | null {
  try {
    verify(kernelOf(values, [values.length - 1]));
    return values;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function pick<T>(from: readonly T[], n: number): T {
  return from[n % from.length] as T;
}

/** A value of the operation with arguments of lanes that agree; null where there are none. */
function attempt(
  values: readonly Value[],
  op: Drawn["op"],
  [first, second, third, fourth, fifth]: readonly [number, number, number, number, number],
): Value | null {
  // Late values more often, so that kernels become deep.
  const a = Math.max(first % values.length, third % values.length);
  const { lane } = values[a] as Value;
  const like = (n: number, of = lane): number => {
    const same = values.flatMap((value, i) => (value.lane === of ? [i] : []));
    return pick(same, n);
  };
  const rounding = pick(ROUNDINGS, fourth);
  const rounds = lane === "f32" ? {} : { rounding };
  const made = (operation: Op, to: Lane = lane): Value => {
    const args = "args" in operation ? operation.args : [];
    const over =
      operation.op === "reduce" ? "row" : args.map((i) => (values[i] as Value).over).reduce<Over>(join, "one");
    return { ...operation, lane: to, over };
  };
  switch (op) {
    case "const": {
      const to = pick(LANES, second);
      return made({ op, value: to === "f32" ? Math.fround(pick(CONSTANTS, third) / 7) : pick(CONSTANTS, third) }, to);
    }
    case "div":
      return made({ op, ...rounds, args: [a, like(second)] });
    case "shift-left":
    case "shift-right": {
      const amounts = values.flatMap((value, i) => (value.lane === "f32" ? [] : [i]));
      if (amounts.length === 0) return null;
      const args = [a, pick(amounts, second)] as const;
      return made(op === "shift-left" ? { op, args } : { op, ...rounds, args });
    }
    case "bits":
      return made({ op, args: [a] }, pick(["i32", "u8", "i64"], second));
    case "cast":
      return made({ op, ...(lane === "f32" ? { rounding } : {}), args: [a] }, pick(LANES, second));
    case "select": {
      const c = third % values.length;
      const to = (values[c] as Value).lane;
      return made({ op, args: [a, like(second), c, like(fourth, to)] }, to);
    }
    case "reduce":
      return made({
        op,
        with: pick(REDUCTIONS, second),
        ...(pick(REDUCTIONS, second) === "mean" ? rounds : {}),
        args: [a],
      });
    case "lookup": {
      const table = lane === "f32" ? floatTable(fifth) : integerTable(lane, pick(["i8", "u8", "i16"], second), fifth);
      if (table === null) return null;
      const hole = `t${values.length}`;
      return made({ op, hole, spec: table.spec, table, args: [a] }, laneOf(table.spec.output));
    }
    default:
      return made({ op, args: [a, like(second)] });
  }
}

// tables --------------------------------------------------------------------------------------------------------------

const EVERYTHING = { lo: -Infinity, hi: Infinity };
const PLAIN = { reductions: [], clamp: [-Infinity, Infinity] } as const;

/** Sixteen seeded lines over [-4, 4]. */
function floatTable(seed: number): Table {
  const source = random(seed);
  const numbers = (): number[] => Array.from({ length: 16 }, () => Math.fround(source.normal()));
  return {
    ...PLAIN,
    spec: { fn: "x", domain: EVERYTHING, input: BINARY32, output: BINARY32 },
    index: { rule: "uniform", first: -4, width: 0.5 },
    coefficients: [numbers(), numbers()],
    shift: 0,
    rounding: "half-even",
  };
}

/** A seeded table of one entry per 4-bit code, or of 9 lines; null for inputs of 64 bits. */
function integerTable(input: Lane, output: Lane, seed: number): Table | null {
  if (input === "i64" || input === "f32") return null;
  const bits = Number(input.slice(1));
  const isSmall = bits === 8 && seed % 2 === 0;
  const format = integerFormat(input.startsWith("i"), isSmall ? 4 : bits, 1);
  const { lo, hi } = codeRange(format);
  const count = isSmall ? hi - lo + 1 : 9;
  const source = random(seed);
  const whole = (spread: number): number[] =>
    Array.from({ length: count }, () => Math.round((source.uniform() - 0.5) * spread));
  return {
    ...PLAIN,
    spec: {
      fn: "x",
      domain: EVERYTHING,
      input: format,
      output: integerFormat(output.startsWith("i"), Number(output.slice(1)), 1),
    },
    index: isSmall
      ? { rule: "direct", first: lo }
      : { rule: "breakpoints", codes: Array.from({ length: 8 }, (_, i) => Math.round(lo + ((hi - lo) * (i + 1)) / 9)) },
    coefficients: isSmall ? [whole(300)] : [whole(2 ** bits), whole(300)],
    shift: isSmall ? 0 : 5,
    rounding: pick(ROUNDINGS, seed),
  };
}

// inputs --------------------------------------------------------------------------------------------------------------

/** Seeded inputs of every param: integers over their whole range, its ends often; ordinary floats, every eighth a special one. */
export function randomInputs(kernel: Kernel, rows: number, columns: number, seed: number): KernelInputs {
  const source = random(seed);
  const sizes = { one: 1, row: rows, column: columns, element: rows * columns };
  const inputs: Record<string, Float64Array> = {};
  for (const value of kernel.values) {
    if (value.op !== "param") continue;
    inputs[value.name] = Float64Array.from({ length: sizes[value.over] }, () => drawInput(value, source));
  }
  return inputs;
}

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 3e38, 1e-42, 0.5, 1.5, 2147483648].map(Math.fround);

function drawInput(value: Value & { readonly op: "param" }, source: ReturnType<typeof random>): number {
  const lane = laneRange(value.lane);
  if (lane === null) return source.below(8) === 0 ? pick(SPECIAL, source.below(64)) : Math.fround(4 * source.normal());
  const [lo, hi] = value.range ?? [lane.lo, lane.hi];
  const end = source.below(8);
  return end === 0 ? lo : end === 1 ? hi : Math.min(hi, Math.floor(lo + source.uniform() * (hi - lo + 1)));
}
