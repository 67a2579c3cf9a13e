// Which tensors a step reads and which it writes.

import type { Step } from "./types.ts";

export function tensorsRead(step: Step): readonly string[] {
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

export function tensorsWritten(step: Step): readonly string[] {
  if (step.op === "exit") return [];
  return "results" in step ? step.results : [step.result];
}
