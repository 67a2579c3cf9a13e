// One kernel for steps whose kernels are equal but for integer literals: what differs becomes params that each step is given as scalars.
// So a program has few kernels however many layers it has, and each is read, proven and compiled once. No step computes other bits.

import { toJson } from "../base/index.ts";
import {
  type Kernel,
  LANE_ARRAYS,
  type Lane,
  laneBits,
  laneRange,
  ranges,
  type Value,
  verify,
} from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { TENSOR_LANES } from "./lanes.ts";
import type { Codes, Program, Step, TensorLane, TensorType } from "./types.ts";
import type { Tiled } from "./verify-tiles.ts";

type Constant = Value & { readonly op: "const" };

/** A kernel of the program and the steps that run it. */
interface Member {
  readonly kernel: Kernel;
  /** What its constants are, by their place among the values. */
  readonly literals: ReadonlyMap<number, number>;
  readonly steps: Tiled[];
}

/** One kernel for several members: which literals became which params. */
interface Joined {
  readonly kernel: Kernel;
  readonly params: readonly { readonly name: string; readonly at: number; readonly lane: TensorLane }[];
}

/**
 * The program with few kernels: interpret gives the same outputs. A literal that is the same in all steps stays, for targets make more of
 * it than of a param; so do shifts by 0, which are none, and all literals of a function of one code, which a target may tabulate. Where one
 * kernel for all would not verify, or would need wider integers than the widest of its members, there are several. The spec of a joined
 * kernel is that of the first: what codes stand for the tensors say.
 */
export function shareKernels(program: Program): Program {
  const scalars = new Scalars(program);
  const changed = new Map<Tiled, Tiled>();
  for (const members of groupsOf(program)) {
    for (const part of joinable(members, program)) {
      for (const member of part.members) {
        for (const step of member.steps) changed.set(step, withParams(step, member, part.joined, scalars));
      }
    }
  }
  const step = (one: Step): Step => changed.get(one as Tiled) ?? one;
  return {
    ...program,
    tensors: scalars.tensors,
    constants: scalars.constants,
    blocks: program.blocks.map(({ name, steps }) => ({ name, steps: steps.map(step) })),
  };
}

// groups --------------------------------------------------------------------------------------------------------------

/** The program's kernels, parted into those that differ in literals only. */
function groupsOf({ blocks }: Program): readonly (readonly Member[])[] {
  const groups = new Map<string, Map<string, Member>>();
  for (const step of blocks.flatMap(({ steps }) => steps)) {
    if (step.op !== "product" && step.op !== "kernel") continue;
    const { shape, literals } = partsOf(step.kernel);
    const group = groups.get(shape) ?? new Map<string, Member>();
    groups.set(shape, group);
    const key = [...literals.values()].join();
    const member = group.get(key) ?? { kernel: step.kernel, literals, steps: [] };
    group.set(key, member);
    member.steps.push(step);
  }
  return [...groups.values()].map((group) => [...group.values()]);
}

/** The kernel without its literals as a text, and these. */
function partsOf(kernel: Kernel): { readonly shape: string; readonly literals: ReadonlyMap<number, number> } {
  const keepsLiterals = isOfOneCode(kernel);
  const amounts = new Set(
    kernel.values.flatMap((value) => (value.op === "shift-left" || value.op === "shift-right" ? value.args[1] : [])),
  );
  const literals = new Map<number, number>();
  const values = kernel.values.map((value, at) => {
    if (value.op !== "const" || value.lane === "f32" || keepsLiterals) return value;
    if (value.value === 0 && amounts.has(at)) return value;
    literals.set(at, value.value);
    return { op: value.op, lane: value.lane };
  });
  const { fn, maxRow } = kernel.spec;
  return { shape: toJson({ fn, maxRow, values, results: kernel.results }), literals };
}

/** Whether a kernel is a function of one code of at most 16 bits, element by element. */
function isOfOneCode({ values }: Kernel): boolean {
  const params = values.filter(({ op }) => op === "param");
  const [param] = params;
  const isOne = params.length === 1 && param?.over === "element" && param.lane !== "f32" && laneBits(param.lane) <= 16;
  return isOne && !values.some(({ op }) => op === "reduce");
}

// joining -------------------------------------------------------------------------------------------------------------

interface Part {
  readonly members: readonly Member[];
  readonly joined: Joined;
}

/** One part if all can be joined; else each member is in the first part that it can be joined with. */
function joinable(members: readonly Member[], program: Program): readonly Part[] {
  const whole = joinedOf(members, program);
  if (whole !== null) return [{ members, joined: whole }];
  const parts: Part[] = [];
  for (const member of members) {
    const into = parts.findIndex((part) => joinedOf([...part.members, member], program) !== null);
    const all = [...(parts[into]?.members ?? []), member];
    parts[into < 0 ? parts.length : into] = { members: all, joined: joinedOf(all, program) as Joined };
  }
  return parts;
}

/** Which literals differ. */
function differing(members: readonly Member[]): readonly number[] {
  const [{ literals }] = members as readonly [Member];
  return [...literals.keys()].filter((at) => members.some((member) => member.literals.get(at) !== literals.get(at)));
}

/** One kernel for all members; null where that breaks a rule or costs wider integers. */
function joinedOf(members: readonly Member[], program: Program): Joined | null {
  const [{ kernel }] = members as readonly [Member];
  const open = new Set(differing(members));
  if (open.size === 0) return { kernel, params: [] };
  const values: Value[] = [];
  const places: number[] = [];
  const params: Joined["params"][number][] = [];
  for (const [at, value] of kernel.values.entries()) {
    if (open.has(at)) {
      const name = `${prefixOf(kernel)}${params.length}`;
      const lane = appendParam(values, name, value as Constant, literalRange(members, at));
      if (lane === null) return null;
      params.push({ name, at, lane });
    } else {
      values.push(
        "args" in value ? ({ ...value, args: value.args.map((arg) => places[arg]) } as unknown as Value) : value,
      );
    }
    places.push(values.length - 1);
  }
  const joined = { ...kernel, values, results: kernel.results.map((at) => places[at] as number) };
  return isAsGood(joined, places, members, program) ? { kernel: joined, params } : null;
}

/** No param's name begins with it. */
function prefixOf({ values }: Kernel): string {
  let prefix = "c";
  while (values.some((value) => value.op === "param" && value.name.startsWith(prefix))) prefix += "c";
  return prefix;
}

function literalRange(members: readonly Member[], at: number): readonly [number, number] {
  const all = members.map(({ literals }) => literals.get(at) as number);
  return [Math.min(...all), Math.max(...all)];
}

/** Appends a param in the literal's place, cast where no tensor has its lane. @returns the param's lane, null where none holds the range */
function appendParam(
  values: Value[],
  name: string,
  { lane, over }: Constant,
  range: readonly [number, number],
): TensorLane | null {
  const own = TENSOR_LANES.find((known) => known === lane);
  const held = own ?? (["i32", "u32"] as const).find((wide) => isInside({ lo: range[0], hi: range[1] }, wide));
  if (held === undefined) return null;
  values.push({ op: "param", name, range, lane: held, over });
  if (held !== lane) values.push({ op: "cast", args: [values.length - 1], lane, over });
  return held;
}

function isInside({ lo, hi }: Interval, lane: Lane): boolean {
  const whole = laneRange(lane);
  return whole !== null && whole.lo <= lo && hi <= whole.hi;
}

/** Whether a joined kernel keeps the rules, what its steps promise of their results, and the widths of its members' values. */
function isAsGood(
  joined: Kernel,
  places: readonly number[],
  members: readonly Member[],
  { tensors }: Program,
): boolean {
  try {
    verify(joined);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  const known = ranges(joined);
  const own = members.map(({ kernel }) => ranges(kernel));
  const isNarrow = places.every((place, at) => {
    const widest = Math.max(...own.map((each) => bitsOf(each[at] as Interval | null)));
    return bitsOf(known[place] as Interval | null) <= widest;
  });
  const keeps = (step: Tiled): boolean =>
    step.results.every((name, i) => {
      const promised = (tensors[name] as TensorType).range;
      const range = known[joined.results[i] as number];
      return promised === undefined || (range != null && promised[0] <= range.lo && range.hi <= promised[1]);
    });
  return isNarrow && members.every(({ steps }) => steps.every(keeps));
}

/** Bits of the narrowest lane that holds a range; 32 for binary32. */
function bitsOf(range: Interval | null): number {
  if (range === null) return 32;
  const lane = TENSOR_LANES.find((known) => isInside(range, known));
  return lane === undefined ? 64 : 8 * LANE_ARRAYS[lane].BYTES_PER_ELEMENT;
}

// steps ---------------------------------------------------------------------------------------------------------------

function withParams(step: Tiled, { literals }: Member, { kernel, params }: Joined, scalars: Scalars): Tiled {
  const added = params.map(({ name, at, lane }) => [name, scalars.of(literals.get(at) as number, lane)] as const);
  return { ...step, kernel, arguments: { ...step.arguments, ...Object.fromEntries(added) } };
}

/** Constants of one number each: one tensor for all that are equal, those that the program has already included. */
class Scalars {
  readonly tensors: Record<string, TensorType>;
  readonly constants: Record<string, Codes>;
  readonly #names = new Map<string, string>();

  constructor({ tensors, constants }: Program) {
    this.tensors = { ...tensors };
    this.constants = { ...constants };
    for (const [name, codes] of Object.entries(constants)) {
      const { lane, shape, ...rest } = tensors[name] as TensorType;
      const isPlain = shape.length === 0 && Object.keys(rest).length === 0;
      if (isPlain) this.#names.set(`${codes[0]} ${lane}`, name);
    }
  }

  of(value: number, lane: TensorLane): string {
    const key = `${value} ${lane}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    let name = lane === "i32" ? `${value}` : key;
    while (this.tensors[name] !== undefined) name += "'";
    this.#names.set(key, name);
    this.tensors[name] = { lane, shape: [] };
    this.constants[name] = LANE_ARRAYS[lane].from([value]);
    return name;
  }
}
