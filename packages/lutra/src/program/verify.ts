// The rules a program keeps: names exist, are written once, and before they are read; lanes and shapes agree in every run, products stay inside
// 32 bits. What depends on the numbers of a run (ids, and the places that a move copies) the run checks.

import { toJson } from "../base/index.ts";
import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { type Facts, factsOf } from "./facts.ts";
import { areEqual, largest, product, sameShape, smallest } from "./sizes.ts";
import { tensorsRead, tensorsWritten } from "./step-tensors.ts";
import type { Program, Size, Step, TensorType } from "./types.ts";
import { checkDeclarations } from "./verify-declarations.ts";
import { productComplaint, tileComplaint } from "./verify-tiles.ts";

/** Elements that a part of a move may copy: what a run takes is bounded by more than the file's word. */
const MOST_MOVED = 2 ** 31;

/** @throws RangeError naming block, step and tensor */
export function verify(program: Program): void {
  const facts = factsOf(program);
  checkDeclarations(facts);
  const order = new Order(program);
  for (const { name, steps } of program.blocks) {
    steps.forEach((step, i) => {
      const complaint = complaintAbout(step, facts, order);
      if (complaint !== null) throw new RangeError(`block ${name}, step ${i} (${step.op}): ${complaint}`);
      order.add(step);
    });
  }
  for (const [name, tensor] of Object.entries(program.outputs)) {
    const complaint = order.outputComplaint(tensor);
    if (complaint !== null) throw new RangeError(`output ${name}: ${complaint}`);
  }
}

/**
 * What has been written where, step by step. A reshaped tensor is the same memory as the one it was: whatever is true of that one, its root, is
 * true of it.
 */
class Order {
  readonly #known: Set<string>;
  readonly #fixed: ReadonlySet<string>;
  readonly #states: ReadonlySet<string>;
  readonly #writtenStates = new Set<string>();
  readonly #roots = new Map<string, string>();

  constructor({ inputs, states, constants }: Program) {
    this.#fixed = new Set([...inputs, ...Object.keys(constants)]);
    this.#states = new Set(states);
    this.#known = new Set([...this.#fixed, ...states]);
  }

  add(step: Step): void {
    for (const result of tensorsWritten(step)) {
      this.#known.add(result);
      if (this.#states.has(result)) this.#writtenStates.add(result);
    }
    if (step.op === "reshape") this.#roots.set(step.result, this.#rootOf(step.input));
  }

  complaint(step: Step): string | null {
    const [reads, results] = [tensorsRead(step), tensorsWritten(step)];
    const unwritten = reads.find((name) => !this.#known.has(name));
    if (unwritten !== undefined) return `tensor ${unwritten} is read before it is written`;
    const stale = reads.find((name) => this.#writtenStates.has(this.#rootOf(name)));
    if (stale !== undefined) return `tensor ${stale} is read behind the step that writes the state`;
    const fixed = results.find((name) => this.#fixed.has(name));
    if (fixed !== undefined) return `tensor ${fixed} cannot be written`;
    const written = new Set<string>();
    for (const name of results) {
      if (this.#isWritten(name) || written.has(name)) return `tensor ${name} is written twice`;
      written.add(name);
    }
    const own = reads.find((name) => written.has(this.#rootOf(name)));
    if (own !== undefined) return `tensor ${own} is read by the step that writes it`;
    return step.op === "reshape" && this.#states.has(step.result) ? "a reshaped tensor is no state" : null;
  }

  /** An output may be what a state holds at the end, but not under another shape. */
  outputComplaint(tensor: string): string | null {
    if (!this.#known.has(tensor)) return `${tensor} is never written`;
    const root = this.#rootOf(tensor);
    return root !== tensor && this.#writtenStates.has(root) ? `${tensor} is a state that was written since` : null;
  }

  #isWritten(name: string): boolean {
    return this.#states.has(name) ? this.#writtenStates.has(name) : this.#known.has(name);
  }

  #rootOf(name: string): string {
    return this.#roots.get(name) ?? name;
  }
}

// steps ---------------------------------------------------------------------------------------------------------------

function complaintAbout(step: Step, facts: Facts, order: Order): string | null {
  const missing = [...tensorsRead(step), ...tensorsWritten(step)].find(
    (name) => !Object.hasOwn(facts.program.tensors, name),
  );
  if (missing !== undefined) return `tensor ${missing} is not declared`;
  try {
    return order.complaint(step) ?? sizesComplaint(step, facts) ?? ruleOf(step, facts) ?? rangeComplaint(step, facts);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** The sizes of a step have values in every run. @throws RangeError for one that has none */
function sizesComplaint(step: Step, { program: { sizes } }: Facts): string | null {
  if (step.op === "kernel") largest(product(step.tile), sizes);
  if (step.op !== "move") return null;
  for (const { from, box, read, write } of step.parts) {
    for (const size of [read.start, write.start, ...read.strides, ...write.strides]) largest(size, sizes);
    const count = largest(product(box), sizes);
    if (count > MOST_MOVED) return `the part of ${from} may have ${count} elements, at most are ${MOST_MOVED}`;
  }
  return null;
}

/** A tensor is only written what its lane holds, and what keeps its promise. */
function rangeComplaint(step: Step, facts: Facts): string | null {
  for (const [i, name] of tensorsWritten(step).entries()) {
    const promised = facts.rangeOf(name);
    const given = writtenRange(step, i, facts);
    if (given.lo < promised.lo || given.hi > promised.hi) {
      return `${name} may be from ${given.lo} to ${given.hi}, promised are ${promised.lo} to ${promised.hi}`;
    }
  }
  return null;
}

function writtenRange(step: Step, result: number, facts: Facts): Interval {
  const { program } = facts;
  const last = (count: Size): Interval => ({ lo: 0, hi: largest(count, program.sizes) - 1 });
  switch (step.op) {
    case "product":
    case "kernel":
      return facts.rangesOf(step.kernel)[step.kernel.results[result] as number] as Interval;
    case "gather":
      return facts.rangeOf(step.table);
    case "reshape":
      return facts.rangeOf(step.input);
    case "move": {
      const parts = [{ lo: step.fill, hi: step.fill }, ...step.parts.map(({ from }) => facts.rangeOf(from))];
      return { lo: Math.min(...parts.map(({ lo }) => lo)), hi: Math.max(...parts.map(({ hi }) => hi)) };
    }
    case "count":
      return last(facts.countOf(step.result));
    case "argmax":
      return last((program.tensors[step.input] as TensorType).shape.at(-1) as Size);
    case "exit":
      throw new RangeError("an exit writes nothing");
    default:
      return step satisfies never;
  }
}

function ruleOf(step: Step, facts: Facts): string | null {
  const { program } = facts;
  const typeOf = (name: string): TensorType => program.tensors[name] as TensorType;
  switch (step.op) {
    case "product":
      return productComplaint(step, facts);
    case "kernel":
      return step.tile.length < 2 ? "a tile has at least two axes" : tileComplaint(step, step.tile, facts);
    case "gather": {
      const [table, ids, result] = [typeOf(step.table), typeOf(step.ids), typeOf(step.result)];
      if (table.shape.length === 0) return "a table has at least one axis";
      return sameLane(table, result) ?? sameShape([...ids.shape, ...table.shape.slice(1)], result.shape);
    }
    case "move": {
      const other = step.parts.find(({ from }) => typeOf(from).lane !== typeOf(step.result).lane);
      const range = laneRange(typeOf(step.result).lane) as Interval;
      if (other !== undefined) return `${other.from} has another lane than the result`;
      if (!(Number.isInteger(step.fill) && range.lo <= step.fill && step.fill <= range.hi))
        return `the result cannot hold ${step.fill}`;
      const crooked = step.parts.find(
        ({ box, read, write }) => read.strides.length !== box.length || write.strides.length !== box.length,
      );
      return crooked === undefined ? null : `the part of ${crooked.from} needs a stride for each axis of its box`;
    }
    case "reshape": {
      const [input, result] = [typeOf(step.input), typeOf(step.result)];
      const isSame = areEqual(facts.countOf(step.input), facts.countOf(step.result));
      return sameLane(input, result) ?? (isSame ? null : "input and result have different numbers of elements");
    }
    case "count":
      return typeOf(step.result).lane === "i32" ? null : "counts are i32";
    case "argmax": {
      const { shape } = typeOf(step.input);
      if (shape.length === 0) return "one number has no largest place";
      if (smallest(shape.at(-1) as Size, program.sizes) < 1) return "no numbers have no largest place";
      return typeOf(step.result).lane === "i32"
        ? sameShape(shape.slice(0, -1), typeOf(step.result).shape)
        : "places are i32";
    }
    case "exit":
      return exitComplaint(step, program);
    default:
      return step satisfies never;
  }
}

/** Its outputs are those of the program, by name, lane, shape and what codes stand for. */
function exitComplaint({ outputs }: Step & { readonly op: "exit" }, program: Program): string | null {
  const typeOf = (name: string): TensorType => program.tensors[name] as TensorType;
  const other = Object.keys(outputs).find((name) => !Object.hasOwn(program.outputs, name));
  if (other !== undefined) return `the program has no output ${other}`;
  for (const [name, tensor] of Object.entries(program.outputs)) {
    if (!Object.hasOwn(outputs, name)) return `it gives no output ${name}`;
    if (!Object.hasOwn(program.tensors, tensor)) return `output ${name}: ${tensor} is not declared`;
    const [wanted, given] = [typeOf(tensor), typeOf(outputs[name] as string)];
    const isSame = toJson(wanted.quantization ?? null) === toJson(given.quantization ?? null);
    const complaint =
      sameLane(wanted, given) ?? sameShape(wanted.shape, given.shape) ?? (isSame ? null : "quantizations differ");
    if (complaint !== null) return `output ${name}: ${complaint}`;
  }
  return null;
}

function sameLane(a: TensorType, b: TensorType): string | null {
  return a.lane === b.lane ? null : `lanes differ: ${a.lane} and ${b.lane}`;
}
