// A binary32 table on one run of inputs as six fixed operations, so that millions of inputs can be evaluated in a plain loop.
// Bit for bit what the definition in table/types.ts says, on every input of the run: tests compare them input by input.

import { powerOfTwo } from "../num/index.ts";
import { evaluate, type Reduction, type Table } from "../table/index.ts";
import { locate, octaveOf } from "./locate.ts";

/**
 * t = fround(fround(scale x) - octave), u = fround(fround(slope t) + intercept), y = fround(fround(factor u) + more), where `more` is
 * the input itself or `addend`. Adding -0 changes no number, not even a zero's sign.
 */
export interface Straight {
  readonly scale: number;
  readonly octave: number;
  readonly slope: number;
  readonly intercept: number;
  readonly factor: number;
  readonly addend: number;
  readonly addsInput: boolean;
}

/** What a reduction does before and after the line: nothing. */
const PLAIN = { scale: 1, octave: 0, factor: 1, addend: -0, addsInput: false } as const;

type Around = Omit<Straight, "slope" | "intercept">;

/**
 * The arithmetic of the run that a finite x other than 0 is in; null where six operations do not tell it (several reductions, an
 * answer of -0).
 */
export function straightOf(table: Table, x: number): Straight | null {
  const [reduction, ...more] = table.reductions;
  if (more.length > 0) return null;
  const at = locate(table, x);
  const [step] = at.steps;
  if (step?.constant === true) return constant(PLAIN, evaluate(table, x));
  const around = reduction === undefined ? PLAIN : aroundOf(reduction, step?.branch as number);
  const slope = table.coefficients[1]?.[at.segment];
  const intercept = table.coefficients[0]?.[at.segment] as number;
  if (slope === undefined) return constant(around, intercept);
  if (at.clamped) return constant(around, Math.fround(Math.fround(slope * at.argument) + intercept));
  return { ...around, slope, intercept };
}

/** A line without slope: 0 t is a zero of either sign, which only a value of -0 shows. */
function constant(around: Around, value: number): Straight | null {
  return Object.is(value, -0) ? null : { ...around, slope: 0, intercept: value };
}

/** A reduction on one branch of it (see locate.ts), for x other than 0. */
function aroundOf(reduction: Reduction, branch: number): Around {
  switch (reduction.by) {
    case "odd":
      return branch === 0 ? { ...PLAIN, scale: -1, factor: -1 } : PLAIN;
    case "even":
      return branch === 0 ? { ...PLAIN, scale: -1 } : PLAIN;
    case "reflect":
      return branch === 1 ? { ...PLAIN, scale: -1, addsInput: true } : { ...PLAIN, addend: 0 };
    case "complement":
      return branch === 1 ? { ...PLAIN, scale: -1, factor: -1, addend: 1 } : PLAIN;
    case "octave": {
      const octave = octaveOf(branch, reduction.step);
      return { ...PLAIN, scale: powerOfTwo(-reduction.step * octave), factor: powerOfTwo(reduction.power * octave) };
    }
    case "logarithm": {
      const octave = octaveOf(branch, 1);
      return { ...PLAIN, scale: powerOfTwo(-octave), addend: Math.fround(reduction.perOctave * octave) };
    }
    case "exponential":
      return { ...PLAIN, scale: reduction.factor, octave: branch, factor: powerOfTwo(branch) };
    default:
      return reduction satisfies never;
  }
}

/** Evaluates the first `count` inputs, all of one run, into outputs. */
export function evaluateStraight(line: Straight, inputs: Float32Array, outputs: Float32Array, count: number): void {
  const { scale, octave, slope, intercept, factor, addend, addsInput } = line;
  for (let i = 0; i < count; i++) {
    const x = inputs[i] as number;
    const t = Math.fround(Math.fround(scale * x) - octave);
    const u = Math.fround(Math.fround(slope * t) + intercept);
    outputs[i] = Math.fround(Math.fround(factor * u) + (addsInput ? x : addend));
  }
}
