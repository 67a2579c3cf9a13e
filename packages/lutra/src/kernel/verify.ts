// The rules a kernel keeps, checked between passes: arguments come first, lanes agree, variation is the operands' join.

import { join, laneOf } from "./build.ts";
import type { Kernel, Over, Value } from "./types.ts";

/** @throws RangeError naming the first value that breaks a rule */
export function verify(kernel: Kernel): void {
  kernel.values.forEach((value, i) => {
    const complaint = complaintAbout(kernel, value, i);
    if (complaint !== null) throw new RangeError(`kernel value ${i} (${value.op}): ${complaint}`);
  });
  if (kernel.results.length === 0) throw new RangeError("a kernel needs a result");
  for (const result of kernel.results) {
    if (kernel.values[result] === undefined) throw new RangeError(`result ${result} does not exist`);
  }
}

function complaintAbout(kernel: Kernel, value: Value, i: number): string | null {
  const args: Value[] = [];
  for (const arg of "args" in value ? value.args : []) {
    const given = kernel.values[arg];
    if (given === undefined || arg < 0 || arg >= i) return `argument ${arg} does not come before it`;
    args.push(given);
  }
  const over = args.map((arg) => arg.over).reduce<Over>(join, "one");
  switch (value.op) {
    case "param":
    case "const":
      return null;
    case "reduce":
      if (value.over !== "row") return "a reduction gives one value per row";
      if (over !== "element") return `a reduction runs over elements, not over ${over}`;
      return sameLanes(value, args);
    case "lookup":
      if (value.over !== over) return `varies per ${value.over}, its argument per ${over}`;
      if (args[0]?.lane !== laneOf(value.spec.input))
        return `the argument's lane does not hold the hole's input format`;
      return value.lane === laneOf(value.spec.output) ? null : "the lane does not hold the hole's output format";
    default:
      if (value.over !== over) return `varies per ${value.over}, its arguments per ${over}`;
      return sameLanes(value, args);
  }
}

function sameLanes(value: Value, args: readonly Value[]): string | null {
  return args.every((arg) => arg.lane === value.lane) ? null : "lanes of arguments and result differ";
}
