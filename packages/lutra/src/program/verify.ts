// The rules a program keeps: names exist and are written before they are read, lanes and shapes agree in every run, products stay inside 32
// bits. What depends on the numbers of a run (ids, and the places that a move copies) the run checks.

import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { type Facts, factsOf } from "./facts.ts";
import { laneOfCodes } from "./lanes.ts";
import { areEqual, largest, namesIn, product, sameShape, smallest } from "./sizes.ts";
import type { Program, Size, Step, TensorType } from "./types.ts";
import { productComplaint, tileComplaint } from "./verify-tiles.ts";

/** @throws RangeError naming block, step and tensor */
export function verify(program: Program): void {
  checkDeclarations(program);
  const facts = factsOf(program);
  const known = new Set([...program.inputs, ...program.states, ...Object.keys(program.constants)]);
  for (const { name, steps } of program.blocks) {
    steps.forEach((step, i) => {
      const complaint = complaintAbout(step, facts, known);
      if (complaint !== null) throw new RangeError(`block ${name}, step ${i} (${step.op}): ${complaint}`);
      for (const result of resultsOf(step)) known.add(result);
    });
  }
  for (const [name, tensor] of Object.entries(program.outputs)) {
    if (!known.has(tensor)) throw new RangeError(`output ${name}: ${tensor} is never written`);
  }
}

/** What a step writes. */
function resultsOf(step: Step): readonly string[] {
  if (step.op === "exit") return [];
  return step.op === "product" || step.op === "kernel" ? step.results : [step.result];
}

/** What a step reads. */
function readsOf(step: Step): readonly string[] {
  switch (step.op) {
    case "product":
      return [step.a, step.b, ...Object.values(step.arguments)];
    case "kernel":
      return Object.values(step.arguments);
    case "gather":
      return [step.table, step.ids];
    case "move":
      return step.parts.map(({ from }) => from);
    case "reshape":
    case "argmax":
      return [step.input];
    case "count":
      return [];
    case "exit":
      return [step.when, ...Object.values(step.outputs)];
    default:
      return step satisfies never;
  }
}

function checkDeclarations({ sizes, tensors, constants, inputs, states }: Program): void {
  const fail = (name: string, complaint: string): never => {
    throw new RangeError(`tensor ${name}: ${complaint}`);
  };
  const given = new Set(inputs.flatMap((name) => tensors[name]?.shape ?? []));
  for (const { name, least, most } of sizes) {
    if (!given.has(name)) throw new RangeError(`size ${name}: no input has it as an axis of its own`);
    if (!(Number.isInteger(least) && Number.isInteger(most) && 0 <= least && least <= most)) {
      throw new RangeError(`size ${name} goes from ${least} to ${most}`);
    }
  }
  for (const [name, { shape }] of Object.entries(tensors)) {
    for (const size of shape.flatMap(namesIn)) {
      if (!sizes.some((known) => known.name === size)) fail(name, `the size ${size} is not declared`);
    }
  }
  for (const name of [...inputs, ...states, ...Object.keys(constants)]) {
    if (tensors[name] === undefined) fail(name, "is not declared");
  }
  for (const name of [...states, ...Object.keys(constants)]) {
    if (tensors[name]?.shape.some((size) => typeof size !== "number")) fail(name, "its shape is in numbers");
  }
  for (const [name, codes] of Object.entries(constants)) {
    const { lane, shape } = tensors[name] as TensorType;
    const count = largest(product(shape), []);
    if (codes.length !== count) fail(name, `its shape has ${count} elements, its data ${codes.length}`);
    if (laneOfCodes(codes) !== lane) fail(name, `its data is ${laneOfCodes(codes)}, not ${lane}`);
  }
}

// steps ---------------------------------------------------------------------------------------------------------------

function complaintAbout(step: Step, facts: Facts, known: ReadonlySet<string>): string | null {
  const { program } = facts;
  const missing = [...readsOf(step), ...resultsOf(step)].find((name) => program.tensors[name] === undefined);
  if (missing !== undefined) return `tensor ${missing} is not declared`;
  const unwritten = readsOf(step).find((name) => !known.has(name));
  if (unwritten !== undefined) return `tensor ${unwritten} is read before it is written`;
  const fixed = resultsOf(step).find((name) => name in program.constants || program.inputs.includes(name));
  if (fixed !== undefined) return `tensor ${fixed} cannot be written`;
  return ruleOf(step, facts) ?? promisedComplaint(step, facts);
}

/** A tensor that promises a range is only written what keeps it. */
function promisedComplaint(step: Step, facts: Facts): string | null {
  for (const [i, name] of resultsOf(step).entries()) {
    const promised = facts.program.tensors[name]?.range;
    if (promised === undefined) continue;
    const given = writtenRange(step, i, facts);
    if (given.lo < promised[0] || given.hi > promised[1]) {
      return `${name} may be from ${given.lo} to ${given.hi}, promised are ${promised[0]} to ${promised[1]}`;
    }
  }
  return null;
}

function writtenRange(step: Step, result: number, facts: Facts): Interval {
  const { program } = facts;
  const last = (shape: readonly Size[]): Interval => ({ lo: 0, hi: largest(product(shape), program.sizes) - 1 });
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
      return last((program.tensors[step.result] as TensorType).shape);
    case "argmax":
      return last((program.tensors[step.input] as TensorType).shape.slice(-1));
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
      if (!(range.lo <= step.fill && step.fill <= range.hi)) return `the result cannot hold ${step.fill}`;
      const crooked = step.parts.find(
        ({ box, read, write }) => read.strides.length !== box.length || write.strides.length !== box.length,
      );
      return crooked === undefined ? null : `the part of ${crooked.from} needs a stride for each axis of its box`;
    }
    case "reshape": {
      const [input, result] = [typeOf(step.input), typeOf(step.result)];
      const isSame = areEqual(product(input.shape), product(result.shape));
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
    case "exit": {
      for (const [name, tensor] of Object.entries(program.outputs)) {
        const given = step.outputs[name];
        if (given === undefined) return `it gives no output ${name}`;
        const complaint =
          sameLane(typeOf(tensor), typeOf(given)) ?? sameShape(typeOf(tensor).shape, typeOf(given).shape);
        if (complaint !== null) return `output ${name}: ${complaint}`;
      }
      return null;
    }
    default:
      return step satisfies never;
  }
}

function sameLane(a: TensorType, b: TensorType): string | null {
  return a.lane === b.lane ? null : `lanes differ: ${a.lane} and ${b.lane}`;
}
