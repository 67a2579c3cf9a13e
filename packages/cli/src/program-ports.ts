// What goes into a program and comes out of it, as data and for people: names, shapes, and what the numbers stand for.

import type { Program } from "lutra";
import { grouped, plural, significant } from "./text.ts";

type TensorType = Program["tensors"][string];
type Size = TensorType["shape"][number];

/** A tensor at the edge of a program, under the name that a run gives it. */
export interface Port extends TensorType {
  readonly name: string;
}

export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export function portsOf({ tensors, inputs, outputs }: Program): Ports {
  const port = (name: string, tensor: string): Port => ({ name, ...(tensors[tensor] as TensorType) });
  return {
    inputs: inputs.map((name) => port(name, name)),
    outputs: Object.entries(outputs).map(([name, tensor]) => port(name, tensor)),
  };
}

/** How many steps a program has, and in how many of them something is binary32. */
export interface StepCounts {
  readonly steps: number;
  readonly floatSteps: number;
}

export function stepCounts({ blocks }: Program): StepCounts {
  const steps = blocks.flatMap((block) => block.steps);
  const inFloats = steps.filter((step) => "kernel" in step && step.kernel.values.some(({ lane }) => lane === "f32"));
  return { steps: steps.length, floatSteps: inFloats.length };
}

/** "69 steps in integers" */
export function stepsText({ steps, floatSteps }: StepCounts): string {
  return floatSteps === 0
    ? `${plural(steps, "step")} in integers`
    : `${plural(steps, "step")}, ${grouped(floatSteps)} with binary32 inside`;
}

/** [batch, 98, 40], as in a program of one's own. */
export function shapeText(shape: readonly Size[]): string {
  return `[${shape.map(sizeText).join(", ")}]`;
}

function sizeText(size: Size): string {
  if (typeof size !== "object") return String(size);
  return size.args.map(sizeText).join(size.op === "add" ? " + " : "*");
}

/** "8 bits, scale 0.0232, zero point 4", "integers 0 to 511", "16 bits". */
export function codesText({ lane, range, quantization }: TensorType): string {
  if (quantization === undefined) return range === undefined ? bitsText(lane) : `integers ${range[0]} to ${range[1]}`;
  const { scale, zeroPoint } = quantization;
  const scales = typeof scale === "number" ? `scale ${significant(scale)}` : `${scale.length} scales`;
  return [bitsText(lane), scales, ...(zeroPoint === 0 ? [] : [`zero point ${zeroPoint}`])].join(", ");
}

/** "8 bits" of i8, "8 bits unsigned" of u8. */
function bitsText(lane: TensorType["lane"]): string {
  return `${lane.slice(1)} bits${lane.startsWith("u") ? " unsigned" : ""}`;
}
