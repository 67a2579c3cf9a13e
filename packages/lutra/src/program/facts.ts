// What the rules of a program ask about again and again, worked out once: the integers that a tensor may hold, and how many they are.

import { type Kernel, laneRange, ranges, verify } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { spanOf } from "./lanes.ts";
import { product } from "./sizes.ts";
import type { Program, Size, TensorType } from "./types.ts";

export class Facts {
  readonly program: Program;
  readonly #tensors = new Map<string, Interval>();
  readonly #counts = new Map<string, Size>();
  readonly #kernels = new Map<Kernel, readonly (Interval | null)[]>();

  constructor(program: Program) {
    this.program = program;
  }

  /** The integers that a tensor may hold: those of a constant's data, else what was promised, else its lane's. */
  rangeOf(name: string): Interval {
    const known = this.#tensors.get(name);
    if (known !== undefined) return known;
    const { lane, range } = this.program.tensors[name] as TensorType;
    const codes = Object.hasOwn(this.program.constants, name) ? this.program.constants[name] : undefined;
    const promised = range === undefined ? (laneRange(lane) as Interval) : { lo: range[0], hi: range[1] };
    const own = codes !== undefined && codes.length > 0 ? spanOf(codes) : promised;
    this.#tensors.set(name, own);
    return own;
  }

  /** The ranges of a kernel's values. @throws RangeError if the kernel breaks a rule of kernels */
  rangesOf(kernel: Kernel): readonly (Interval | null)[] {
    const known = this.#kernels.get(kernel);
    if (known !== undefined) return known;
    verify(kernel);
    const own = ranges(kernel);
    this.#kernels.set(kernel, own);
    return own;
  }

  /** How many elements a tensor has. */
  countOf(name: string): Size {
    const count = this.#counts.get(name) ?? product((this.program.tensors[name] as TensorType).shape);
    this.#counts.set(name, count);
    return count;
  }
}

const known = new WeakMap<Program, Facts>();

/** The facts of a program, which is never changed. */
export function factsOf(program: Program): Facts {
  const facts = known.get(program) ?? new Facts(program);
  known.set(program, facts);
  return facts;
}
