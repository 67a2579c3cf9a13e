// evaluate() of a binary32 table as code on Lanes, operation for operation: reductions, clamp, segment, line. NaN gives NaN.

import { MAX_BINARY32, MIN_NORMAL_BINARY32 } from "../../num/index.ts";
import type { Reduction, Table } from "../../table/index.ts";
import type { Code } from "./assembler.ts";
import type { DataLayout } from "./data.ts";
import type { Lanes } from "./lanes.ts";
import { offsetOf, planSegments, type Segments } from "./segments.ts";

/** A table whose lines and index are in memory. */
export interface PlacedTable {
  readonly table: Table;
  readonly segments: Segments;
  /** Address of the lines: slope and intercept of each segment, in the order of `segments`. */
  readonly lines: number;
}

const SIGN = -0x80000000;
const MANTISSA_BITS = 23;
const BIAS = 127;
/** Least and greatest exponent of a normal number: where exp2 gives neither 0 nor infinity. */
const FIRST_OCTAVE = -126;
const LAST_OCTAVE = 127;
/** Bits of 2^-127, which is no normal number. */
const HALF_LEAST_NORMAL = 0x00400000;

export function placeTable(table: Table, data: DataLayout): PlacedTable {
  const segments = planSegments(table, data);
  const [intercepts, slopes] = table.coefficients;
  const words = segments.order.flatMap((i) => [slopes?.[i] ?? 0, intercepts?.[i] as number]);
  return { table, segments, lines: data.words(words, "f32") };
}

/** The table's answer to x, which must be kept. */
export function emitTable(lanes: Lanes, placed: PlacedTable, x: Code): Code {
  const y = emitFrom(lanes, placed, 0, x);
  return carriesNaN(placed.table) ? y : lanes.choose(lanes.compare("eq", x, x), y, x);
}

/** Whether a NaN goes through every operation by itself: not through constants and operations on bits. */
function carriesNaN({ coefficients, reductions }: Table): boolean {
  const isOfBits = reductions.some(({ by }) => by === "octave" || by === "logarithm" || by === "exponential");
  return coefficients.length > 1 && !isOfBits;
}

function emitFrom(lanes: Lanes, placed: PlacedTable, depth: number, x: Code): Code {
  const reduction = placed.table.reductions[depth];
  if (reduction === undefined) return emitLine(lanes, placed, x);
  return emitReduction(lanes, reduction, x, (t) => emitFrom(lanes, placed, depth + 1, lanes.keep(t)));
}

function emitLine(lanes: Lanes, { table, segments, lines }: PlacedTable, x: Code): Code {
  const t = clamped(lanes, table, x);
  const offset = lanes.keep(offsetOf(lanes, segments, t));
  const { slope, intercept } = lanes.pair(offset, lines);
  if (table.coefficients.length === 1) return intercept;
  return lanes.binary("add", lanes.binary("mul", slope, t), intercept);
}

/** Math.min and Math.max. Where a bound is not 0, the sign of a zero cannot matter and cheaper instructions do; they keep a NaN. */
export function clamped(lanes: Lanes, { clamp: [low, high], reductions }: Table, x: Code): Code {
  let t = x;
  if (low > -Infinity) {
    t = lanes.keep(low === 0 ? lanes.exact("max", t, lanes.number(low)) : lanes.atLeast(t, lanes.number(low)));
  }
  // Behind reflect the argument is -|x|, never above either zero.
  if (high < Infinity && !(high === 0 && reductions.at(-1)?.by === "reflect")) {
    t = lanes.keep(high === 0 ? lanes.exact("min", t, lanes.number(high)) : lanes.atMost(t, lanes.number(high)));
  }
  return t;
}

// reductions ----------------------------------------------------------------------------------------------------------

function emitReduction(lanes: Lanes, reduction: Reduction, x: Code, rest: (t: Code) => Code): Code {
  switch (reduction.by) {
    case "odd": {
      const flip = lanes.keep(lanes.where(lanes.compare("lt", x, lanes.number(0)), SIGN));
      return flipped(lanes, rest(flipped(lanes, x, flip)), flip);
    }
    case "even":
      return rest(lanes.fromBits(lanes.integers("and", lanes.bits(x), lanes.integer(0x7fffffff))));
    case "reflect": {
      const negative = lanes.fromBits(lanes.integers("or", lanes.bits(x), lanes.integer(SIGN)));
      return lanes.binary("add", rest(negative), lanes.raise(lanes.number(0), x));
    }
    case "complement": {
      const isPositive = lanes.keep(lanes.compare("gt", x, lanes.number(0)));
      const y = lanes.keep(rest(flipped(lanes, x, lanes.where(isPositive, SIGN))));
      return lanes.choose(isPositive, lanes.binary("sub", lanes.number(1), y), y);
    }
    case "octave": {
      const { mantissa, octave } = splitOctave(lanes, x, reduction.step);
      const y = rest(mantissa);
      return lanes.binary("mul", y, powerOfTwo(lanes, octave, reduction.power));
    }
    case "logarithm": {
      const { mantissa, octave } = splitOctave(lanes, x, 1);
      const y = rest(mantissa);
      return lanes.binary("add", y, lanes.binary("mul", lanes.toFloat(octave), lanes.number(reduction.perOctave)));
    }
    case "exponential":
      return emitExponential(lanes, reduction.factor, x, rest);
    default:
      return reduction satisfies never;
  }
}

/** x with its sign changed where the integer has that bit. */
function flipped(lanes: Lanes, x: Code, flip: Code): Code {
  return lanes.fromBits(lanes.integers("xor", lanes.bits(x), flip));
}

/** x = mantissa 2^(step octave), the mantissa in [1, 2^step), from the bits of x clamped to normal numbers. Both kept. */
function splitOctave(lanes: Lanes, x: Code, step: 1 | 2): { readonly mantissa: Code; readonly octave: Code } {
  const least = lanes.number(MIN_NORMAL_BINARY32);
  const positive = lanes.lower(lanes.number(MAX_BINARY32), lanes.raise(least, x));
  const bits = lanes.keep(lanes.bits(positive));
  const exponent = lanes.integers("sub", lanes.shift("shr_u", bits, MANTISSA_BITS), lanes.integer(BIAS));
  const octave = lanes.keep(step === 1 ? exponent : lanes.shift("shr_s", exponent, 1));
  const places = lanes.shift("shl", octave, MANTISSA_BITS + step - 1);
  return { mantissa: lanes.keep(lanes.fromBits(lanes.integers("sub", bits, places))), octave };
}

/** 2^(power n) for n from -126 to 127. */
function powerOfTwo(lanes: Lanes, n: Code, power: -1 | 1): Code {
  const biased = lanes.integers(power === 1 ? "add" : "sub", lanes.integer(BIAS), n);
  return lanes.fromBits(lanes.greatest(HALF_LEAST_NORMAL, lanes.shift("shl", biased, MANTISSA_BITS)));
}

/** y = T(z - j) 2^j; 0 and infinity where 2^j would not be a normal number. */
function emitExponential(lanes: Lanes, factor: number, x: Code, rest: (t: Code) => Code): Code {
  const z = lanes.keep(lanes.binary("mul", x, lanes.number(factor)));
  const octave = lanes.keep(lanes.floor(z));
  // The bits of 2^23 + 127 + j, moved up, are those of 2^j: beyond its range any number will do.
  const near = lanes.lower(lanes.number(LAST_OCTAVE), lanes.raise(lanes.number(FIRST_OCTAVE), octave));
  const biased = lanes.bits(lanes.binary("add", near, lanes.number(2 ** MANTISSA_BITS + BIAS)));
  const scale = lanes.keep(lanes.fromBits(lanes.shift("shl", biased, MANTISSA_BITS)));
  const y = lanes.keep(lanes.binary("mul", rest(lanes.binary("sub", z, octave)), scale));
  const isTooSmall = lanes.compare("lt", octave, lanes.number(FIRST_OCTAVE));
  const atLeast = lanes.keep(lanes.choose(isTooSmall, lanes.number(0), y));
  const isTooLarge = lanes.compare("gt", octave, lanes.number(LAST_OCTAVE));
  return lanes.choose(isTooLarge, lanes.number(Infinity), atLeast);
}
