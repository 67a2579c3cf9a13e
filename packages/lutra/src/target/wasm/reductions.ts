// The reductions of a binary32 table as code on Lanes, with the bits of evaluate(): where the argument goes, and how the answer comes back.
// A NaN gives NaN.

import { MAX_BINARY32, MIN_NORMAL_BINARY32, nextDown32 } from "../../num/index.ts";
import { evaluate, segmentCount, segmentOf, segmentStarts, type Table } from "../../table/index.ts";
import type { Code } from "./assembler.ts";
import type { Lanes } from "./lanes.ts";

const SIGN = -0x80000000;
const MANTISSA_BITS = 23;
const MANTISSA = 2 ** MANTISSA_BITS - 1;
const EXPONENT = 0x7f800000;
const BIAS = 127;
/** Bits of 1. */
const ONE = BIAS * 2 ** MANTISSA_BITS;
/** Least and greatest exponent of a normal number: where exp2 gives neither 0 nor infinity. */
const FIRST_OCTAVE = -126;
const LAST_OCTAVE = 127;
/** Bits of 2^-127, which is no normal number. */
const HALF_LEAST_NORMAL = 0x00400000;

/** The answer to x, kept, where `rest` is the table behind its reduction number `depth`. */
export function emitReduction(lanes: Lanes, table: Table, depth: number, x: Code, rest: (t: Code) => Code): Code {
  const reduction = table.reductions[depth];
  switch (reduction?.by) {
    case undefined:
      throw new RangeError(`the table has no reduction ${depth}`);
    case "odd": {
      const flip = lanes.keep(lanes.where(lanes.compare("lt", x, lanes.number(0)), SIGN));
      return flipped(lanes, rest(flipped(lanes, x, flip)), flip);
    }
    case "even":
      return rest(lanes.fromBits(lanes.integers("and", lanes.bits(x), lanes.integer(0x7fffffff))));
    case "reflect":
      return lanes.binary("add", rest(negated(lanes, x)), lanes.raise(lanes.number(0), x));
    case "complement": {
      const isPositive = lanes.keep(lanes.compare("gt", x, lanes.number(0)));
      const negative = zeroCounts(table) ? flipped(lanes, x, lanes.where(isPositive, SIGN)) : negated(lanes, x);
      const y = lanes.keep(rest(negative));
      return lanes.choose(isPositive, lanes.binary("sub", lanes.number(1), y), y);
    }
    case "octave":
      return emitOctaves(lanes, x, reduction.step, reduction.power, rest);
    case "logarithm":
      return emitLogarithm(lanes, x, reduction.perOctave, rest);
    case "exponential":
      return staysPositive(table, depth)
        ? emitPositiveExponential(lanes, reduction.factor, x, rest)
        : emitExponential(lanes, reduction.factor, x, rest);
    default:
      return reduction satisfies never;
  }
}

/** Whether a line answers differently to both zeros: slope * 0 + intercept does if the intercept is -0. */
export function zeroCounts({ index, coefficients }: Table): boolean {
  const intercepts = coefficients[0] ?? [];
  return Object.is(intercepts[segmentOf(index, intercepts.length, 0)], -0);
}

/** -|x| */
function negated(lanes: Lanes, x: Code): Code {
  return lanes.fromBits(lanes.integers("or", lanes.bits(x), lanes.integer(SIGN)));
}

/** x with its sign changed where the integer has that bit. */
function flipped(lanes: Lanes, x: Code, flip: Code): Code {
  return lanes.fromBits(lanes.integers("xor", lanes.bits(x), flip));
}

// octaves -------------------------------------------------------------------------------------------------------------

/** x clamped to positive normal numbers, and its bits. Both kept. */
function positiveOf(lanes: Lanes, x: Code): { readonly positive: Code; readonly bits: Code } {
  const raised = lanes.keep(lanes.atLeast(x, lanes.number(MIN_NORMAL_BINARY32)));
  const positive = lanes.keep(lanes.atMost(raised, lanes.number(MAX_BINARY32)));
  return { positive, bits: lanes.keep(lanes.bits(positive)) };
}

/** y, or NaN where the positive number is NaN: what is taken from bits has lost it. */
function carried(lanes: Lanes, positive: Code, y: Code): Code {
  const below = lanes.keep(lanes.binary("sub", positive, lanes.number(Infinity)));
  return lanes.atLeast(below, lanes.keep(y));
}

/** With x = m 2^(step j): T(m) 2^(power j). */
function emitOctaves(lanes: Lanes, x: Code, step: 1 | 2, power: -1 | 1, rest: (t: Code) => Code): Code {
  const { positive, bits } = positiveOf(lanes, x);
  const { mantissa, scale } = step === 1 ? singleOctave(lanes, bits, power) : doubleOctave(lanes, bits, power);
  return carried(lanes, positive, lanes.binary("mul", rest(mantissa), scale));
}

interface Split {
  readonly mantissa: Code;
  /** 2^(power j), kept. */
  readonly scale: Code;
}

function singleOctave(lanes: Lanes, bits: Code, power: -1 | 1): Split {
  const exponent = lanes.keep(lanes.integers("and", bits, lanes.integer(EXPONENT)));
  const inverse = lanes.integers("sub", lanes.integer(2 * ONE), exponent);
  const scale = power === 1 ? exponent : lanes.greatest(HALF_LEAST_NORMAL, inverse);
  return { mantissa: mantissaOf(lanes, bits), scale: lanes.keep(lanes.fromBits(scale)) };
}

/** The exponent above 127 in steps of two: its upper bits, sign included, which half of them leave as 2^j where 1 is added. */
function doubleOctave(lanes: Lanes, bits: Code, power: -1 | 1): Split {
  const above = lanes.integers("sub", bits, lanes.integer(ONE));
  const places = lanes.keep(lanes.integers("and", above, lanes.integer(-(2 ** (MANTISSA_BITS + 1)))));
  const half = lanes.shift("shr_s", places, 1);
  const scale = lanes.integers(power === 1 ? "add" : "sub", lanes.integer(ONE), half);
  return {
    mantissa: lanes.keep(lanes.fromBits(lanes.integers("sub", bits, places))),
    scale: lanes.keep(lanes.fromBits(scale)),
  };
}

/** In [1, 2), kept. */
function mantissaOf(lanes: Lanes, bits: Code): Code {
  const fraction = lanes.integers("and", bits, lanes.integer(MANTISSA));
  return lanes.keep(lanes.fromBits(lanes.integers("or", fraction, lanes.integer(ONE))));
}

/** With x = m 2^j: T(m) + perOctave j. */
function emitLogarithm(lanes: Lanes, x: Code, perOctave: number, rest: (t: Code) => Code): Code {
  const { positive, bits } = positiveOf(lanes, x);
  const exponent = lanes.integers("sub", lanes.shift("shr_u", bits, MANTISSA_BITS), lanes.integer(BIAS));
  const octaves = lanes.keep(lanes.binary("mul", lanes.toFloat(exponent), lanes.number(perOctave)));
  return carried(lanes, positive, lanes.binary("add", rest(mantissaOf(lanes, bits)), octaves));
}

// exponentials --------------------------------------------------------------------------------------------------------

/** 2^j as bits of 2^23 + 127 + j, moved up: 0 for j = -127, infinity for j = 128. Kept. */
function octaveScale(lanes: Lanes, octave: Code): Code {
  const biased = lanes.bits(lanes.binary("add", octave, lanes.number(2 ** MANTISSA_BITS + BIAS)));
  return lanes.keep(lanes.fromBits(lanes.shift("shl", biased, MANTISSA_BITS)));
}

/** Whether all answers of the table behind its last reduction, to arguments from 0 to 1, are above 0. Lines are monotone, their rounding too. */
function staysPositive(table: Table, depth: number): boolean {
  const { reductions, index } = table;
  if (depth !== reductions.length - 1 || reductions.length === 0) return false;
  const starts = segmentStarts(index, segmentCount(table), table.spec.input).filter((start) => start > 0 && start <= 1);
  const ends = [0, 1, ...starts, ...starts.map(nextDown32)];
  return ends.every((t) => evaluate({ ...table, reductions: [] }, t) > 0);
}

/** T(z - j) 2^j. With T positive, 2^-127 as 0 and 2^128 as infinity give what the definition says, and z may be clamped to these. */
function emitPositiveExponential(lanes: Lanes, factor: number, x: Code, rest: (t: Code) => Code): Code {
  const scaled = lanes.keep(lanes.binary("mul", x, lanes.number(factor)));
  const above = lanes.keep(lanes.atLeast(scaled, lanes.number(FIRST_OCTAVE - 1)));
  const z = lanes.keep(lanes.atMost(above, lanes.number(LAST_OCTAVE + 1)));
  const octave = lanes.keep(lanes.floor(z));
  const scale = octaveScale(lanes, octave);
  return lanes.binary("mul", rest(lanes.binary("sub", z, octave)), scale);
}

/** T(z - j) 2^j; 0 and infinity where 2^j would not be a normal number. */
function emitExponential(lanes: Lanes, factor: number, x: Code, rest: (t: Code) => Code): Code {
  const z = lanes.keep(lanes.binary("mul", x, lanes.number(factor)));
  const octave = lanes.keep(lanes.floor(z));
  // Beyond the normal numbers any scale will do.
  const near = lanes.lower(lanes.number(LAST_OCTAVE), lanes.raise(lanes.number(FIRST_OCTAVE), octave));
  const scale = octaveScale(lanes, near);
  const y = lanes.keep(lanes.binary("mul", rest(lanes.binary("sub", z, octave)), scale));
  const isTooSmall = lanes.compare("lt", octave, lanes.number(FIRST_OCTAVE));
  const atLeast = lanes.keep(lanes.choose(isTooSmall, lanes.number(0), y));
  const isTooLarge = lanes.compare("gt", octave, lanes.number(LAST_OCTAVE));
  return lanes.choose(isTooLarge, lanes.number(Infinity), atLeast);
}
