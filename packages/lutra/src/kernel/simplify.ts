// simplify(kernel): the same bits from fewer operations. Each pass copies the kernel value by value, equal values once, and asks the table of
// rules what each one may be instead; what no result needs is dropped. Params and results keep their order: run's arguments depend on it.

import type { Interval } from "../num/index.ts";
import { join } from "./build.ts";
import type { Candidate, Rule } from "./candidate.ts";
import { rangeOf } from "./ranges.ts";
import { RULES } from "./rules.ts";
import type { Kernel, Lane, Op, Over, Value } from "./types.ts";
import { verify } from "./verify.ts";

/**
 * A kernel of the same params and results, equal bit for bit on every input that interpret accepts, NaN counting as one value; cost never
 * rises. Filled or not: constants are looked up where there is a table. For emitting, not for calibrating: `ideal` of it may differ, for a
 * constant that was rounded stays rounded.
 * @throws RangeError if verify refuses the kernel
 */
export function simplify(kernel: Kernel): Kernel {
  verify(kernel);
  let current = withoutDead(kernel);
  for (;;) {
    const pass = rewritten(current);
    const next = withoutDead(pass.kernel);
    if (!pass.isChanged) {
      verify(next);
      return next;
    }
    current = next;
  }
}

/** The kernel without what no result needs; params stay. */
function withoutDead(kernel: Kernel): Kernel {
  const isNeeded = kernel.values.map(({ op }) => op === "param");
  for (const result of kernel.results) isNeeded[result] = true;
  for (let i = kernel.values.length - 1; i >= 0; i--) {
    if (isNeeded[i]) for (const arg of argsOf(kernel.values[i] as Value)) isNeeded[arg] = true;
  }
  const places: number[] = [];
  const values: Value[] = [];
  kernel.values.forEach((value, i) => {
    places.push(values.length);
    if (isNeeded[i]) values.push(withArgs(value, places));
  });
  return { ...kernel, values, results: kernel.results.map((i) => places[i] as number) };
}

function argsOf(value: Value): readonly number[] {
  return "args" in value ? value.args : [];
}

/** The value with its arguments where `places` has them. */
function withArgs(value: Value, places: readonly number[]): Value {
  if (!("args" in value)) return value;
  return { ...value, args: value.args.map((arg) => places[arg]) } as unknown as Value;
}

interface Pass {
  readonly kernel: Kernel;
  readonly isChanged: boolean;
}

/** One pass over a kernel without dead values. */
function rewritten(kernel: Kernel): Pass {
  const copy = new Copy(kernel);
  const places: number[] = [];
  const uses = usesOf(kernel);
  const keeps = keepsVariation(kernel);
  let isChanged = false;
  kernel.values.forEach((value, i) => {
    const from = withArgs(value, places);
    const simpler = value.op === "param" ? null : copy.simpler(from, keeps[i] === true);
    const at = simpler ?? copy.add(from);
    // An equal value that was there before counts as a change too.
    isChanged ||= simpler !== null || places.includes(at);
    places.push(at);
    copy.noteUses(at, uses[i] as number);
  });
  const results = kernel.results.map((i) => places[i] as number);
  return { kernel: { ...kernel, values: copy.values, results }, isChanged };
}

/** By how many values and results each value is needed. */
function usesOf({ values, results }: Kernel): number[] {
  const uses = values.map(() => 0);
  const note = (i: number): void => {
    uses[i] = (uses[i] as number) + 1;
  };
  values.flatMap(argsOf).forEach(note);
  results.forEach(note);
  return uses;
}

/**
 * Which values must vary over what they do: results, for that is the shape of an output; what a reduction runs over; and of the arguments
 * of these enough that the join stays. Others may turn out to vary less.
 */
function keepsVariation({ values, results }: Kernel): boolean[] {
  const keeps = values.map((_, i) => results.includes(i));
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i] as Value;
    if (value.op === "reduce") keeps[value.args[0]] = true;
    else if (keeps[i]) for (const arg of carriers(value, values)) keeps[arg] = true;
  }
  return keeps;
}

/** Arguments that alone vary over what the value does. */
function carriers(value: Value, values: readonly Value[]): readonly number[] {
  const args = argsOf(value);
  const over = (wanted: Over): number | undefined => args.find((arg) => values[arg]?.over === wanted);
  const whole = over(value.over);
  return whole !== undefined ? [whole] : [over("row"), over("column")].filter((arg) => arg !== undefined);
}

/** The kernel under construction: equal values once, ranges known. */
class Copy {
  readonly values: Value[] = [];
  readonly #kernel: Kernel;
  readonly #known: (Interval | null)[] = [];
  readonly #uses: number[] = [];
  readonly #places = new Map<string, number>();
  /** What rules ask of every candidate. */
  readonly #answers: Pick<Candidate, "at" | "rangeAt" | "isUsedOnce" | "make"> = {
    at: (i) => this.values[i] as Value,
    rangeAt: (i) => this.#known[i] as Interval | null,
    isUsedOnce: (i) => this.#uses[i] === 1,
    make: (op: Op, lane: Lane) => this.add({ ...op, lane, over: "one" }),
  };

  constructor(kernel: Kernel) {
    this.#kernel = { ...kernel, values: this.values };
  }

  /** The index of the value, its variation joined anew, or of an equal one. */
  add(value: Value): number {
    const over = value.op === "param" || value.op === "reduce" ? value.over : this.#join(value);
    const key = keyOf(value);
    const known = key === null ? undefined : this.#places.get(key);
    if (known !== undefined) return known;
    const at = this.values.length;
    this.values.push(value.over === over ? value : { ...value, over });
    this.#known.push(this.#rangeOf(value));
    this.#uses.push(0);
    if (key !== null) this.#places.set(key, at);
    return at;
  }

  /** What the first rule that applies says the value may be, or null. */
  simpler(value: Value, keepsVariation: boolean): number | null {
    const candidate = this.#candidate(value);
    const over = value.op === "reduce" ? value.over : this.#join(value);
    for (const { to } of rulesAbout(value)) {
      const at = to(candidate);
      if (at !== null && !(keepsVariation && this.values[at]?.over !== over)) return at;
    }
    return null;
  }

  noteUses(at: number, uses: number): void {
    this.#uses[at] = (this.#uses[at] as number) + uses;
  }

  #candidate(value: Value): Candidate {
    return { value, args: argsOf(value), range: this.#rangeOf(value), ...this.#answers };
  }

  #rangeOf(value: Value): Interval | null {
    const range = rangeOf(value, this.#kernel, this.#known);
    if (typeof range === "string") throw new TypeError(`a simplified ${value.op}: ${range}`);
    return range;
  }

  #join(value: Value): Over {
    let over: Over = "one";
    for (const arg of argsOf(value)) over = join(over, (this.values[arg] as Value).over);
    return over;
  }
}

/** The rules by operation and kind of lane, in their order: of each value only a few are asked. */
const RULES_BY: ReadonlyMap<string, readonly Rule[]> = byKind();

function byKind(): ReadonlyMap<string, readonly Rule[]> {
  const kinds = new Map<string, Rule[]>();
  for (const rule of RULES) {
    const lanes = rule.lanes === "all" ? ["integers", "binary32"] : [rule.lanes];
    for (const kind of rule.on.flatMap((op) => lanes.map((of) => `${op} ${of}`))) {
      const rules = kinds.get(kind) ?? [];
      kinds.set(kind, rules);
      rules.push(rule);
    }
  }
  return kinds;
}

function rulesAbout({ op, lane }: Value): readonly Rule[] {
  return RULES_BY.get(`${op} ${lane === "f32" ? "binary32" : "integers"}`) ?? [];
}

const COMMUTATIVE: readonly Value["op"][] = ["add", "mul", "min", "max"];

/** Equal for values that are equal in every bit; null for params, which are never merged. */
function keyOf(value: Value): string | null {
  if (value.op === "param") return null;
  const given = argsOf(value);
  const args = COMMUTATIVE.includes(value.op) ? [...given].sort((a, b) => a - b) : given;
  const constant = value.op === "const" ? (Object.is(value.value, -0) ? "-0" : String(value.value)) : "";
  const what = value.op === "reduce" ? value.with : value.op === "lookup" ? value.hole : constant;
  const rounding = "rounding" in value ? value.rounding : "";
  return `${value.op} ${value.lane} ${rounding} ${args.join()} ${what}`;
}
