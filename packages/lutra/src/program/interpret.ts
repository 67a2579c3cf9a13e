// interpret(program) is the definition of a program, step by step in plain integers: what every runner must equal, tensor by tensor. Written
// to be read, not to be fast.

import { sizeOf, type Tensor, type Tensors } from "../base/index.ts";
import { bad, extentsOf, inputCodes } from "./inputs.ts";
import { multiply, onTile } from "./interpret-tiles.ts";
import { codesIn, type Machine, newCodes, shapeOf, tensorIn, write } from "./machine.ts";
import { walkPlaces } from "./places.ts";
import { shapeIn, sizeIn } from "./sizes.ts";
import type { Codes, Program, Step, TensorType } from "./types.ts";

export interface InterpretOptions {
  /** What the states hold; replaced by what they hold afterwards. Zeros where absent. */
  readonly states?: Map<string, Codes>;
  /** Called with every tensor that a step has written. */
  readonly observe?: (name: string, tensor: Tensor) => void;
}

/**
 * Runs a verified program once.
 * @param inputs codes, by name: integers in the tensor's lane, in an array of any kind
 * @returns the outputs by name, each in the array of its lane
 * @throws LutraError "bad-data" for inputs that are missing, of another shape, out of range, or ids outside their table
 */
export function interpret(program: Program, inputs: Tensors, options: InterpretOptions = {}): Tensors {
  const extents = extentsOf(program, inputs);
  const held = new Map<string, Codes>(Object.entries(program.constants));
  for (const name of program.inputs) held.set(name, inputCodes(name, program.tensors[name] as TensorType, inputs));
  for (const name of program.states) {
    const { lane, shape } = program.tensors[name] as TensorType;
    held.set(name, options.states?.get(name) ?? newCodes(lane, sizeOf(shapeIn(shape, extents))));
  }
  const machine: Machine = { program, extents, held };
  let outputs = program.outputs;
  run: for (const { steps } of program.blocks) {
    for (const step of steps) {
      if (step.op === "exit") {
        if (!codesIn(machine, step.when).every((code) => code !== 0)) continue;
        outputs = step.outputs;
        break run;
      }
      for (const name of perform(machine, step)) options.observe?.(name, tensorIn(machine, name));
    }
  }
  for (const name of program.states) options.states?.set(name, codesIn(machine, name));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensorIn(machine, tensor)]));
}

// steps ---------------------------------------------------------------------------------------------------------------

/** @returns the tensors it wrote */
function perform(machine: Machine, step: Exclude<Step, { readonly op: "exit" }>): readonly string[] {
  switch (step.op) {
    case "product": {
      const { sums, tile } = multiply(machine, step);
      onTile(machine, step.kernel, tile, { ...step.arguments }, step.results, sums);
      return step.results;
    }
    case "kernel":
      onTile(machine, step.kernel, shapeIn(step.tile, machine.extents), step.arguments, step.results);
      return step.results;
    case "gather":
      gather(machine, step);
      break;
    case "move":
      move(machine, step);
      break;
    case "reshape":
      machine.held.set(step.result, codesIn(machine, step.input));
      break;
    case "count": {
      const result = write(machine, step.result, sizeOf(shapeOf(machine, step.result)));
      for (let i = 0; i < result.length; i++) result[i] = i;
      break;
    }
    case "argmax":
      argmax(machine, step);
      break;
    default:
      return step satisfies never;
  }
  return [step.result];
}

function gather(machine: Machine, { table, ids, result }: Step & { readonly op: "gather" }): void {
  const [count, ...rest] = shapeOf(machine, table) as [number, ...number[]];
  const [rows, places] = [codesIn(machine, table), codesIn(machine, ids)];
  const length = sizeOf(rest);
  const out = write(machine, result, places.length * length);
  places.forEach((id, i) => {
    if (!(0 <= id && id < count)) throw bad(`${ids} holds ${id}, the table ${table} has ${count} rows`);
    out.set(rows.subarray(id * length, (id + 1) * length), i * length);
  });
}

function argmax(machine: Machine, { input, result }: Step & { readonly op: "argmax" }): void {
  const columns = shapeOf(machine, input).at(-1) as number;
  const codes = codesIn(machine, input);
  const out = write(machine, result, codes.length / columns);
  for (let row = 0; row < out.length; row++) {
    let best = 0;
    for (let i = 1; i < columns; i++) {
      if ((codes[row * columns + i] as number) > (codes[row * columns + best] as number)) best = i;
    }
    out[row] = best;
  }
}

/** @throws RangeError if a part leaves its tensors */
function move(machine: Machine, { parts, fill, result }: Step & { readonly op: "move" }): void {
  const out = write(machine, result, sizeOf(shapeOf(machine, result))).fill(fill);
  for (const { from, box, read, write: place } of parts) {
    const source = codesIn(machine, from);
    const extents = shapeIn(box, machine.extents);
    const [sources, targets] = [read, place].map(({ start, strides }) =>
      walkPlaces(sizeIn(start, machine.extents), shapeIn(strides, machine.extents), extents),
    ) as [Float64Array, Float64Array];
    sources.forEach((at, i) => {
      const to = targets[i] as number;
      if (!(at < source.length && to < out.length)) throw new RangeError(`the part of ${from} leaves its tensors`);
      out[to] = source[at] as number;
    });
  }
}
