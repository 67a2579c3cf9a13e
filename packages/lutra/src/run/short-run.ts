// The way of a run that one part holds, from one array to one other, elementwise: no more work than that needs, 0.1 us for 64 values. Whatever
// is unusual goes the general way, which also says what is wrong.

import type { Inputs, Outputs } from "./call.ts";
import { arrayName, bytesOf, type Codes, codesAt, newCodes } from "./codes.ts";
import type { Layout } from "./layout.ts";
import type { Loaded, Runner } from "./runner.ts";

/** A run of an elementwise module with one param and one result. */
export type ComputeOne = (input: number, output: number, count: number) => void;

export type Run = (input: Inputs, output?: Outputs, columns?: number) => Outputs;

/** Runner.run, with this way before it. */
export function withShortRuns({ signature, workspace }: Loaded, runner: Runner, compute: ComputeOne): Run {
  const [param] = signature.params;
  const [result] = signature.results;
  if (param === undefined || result === undefined) throw new RangeError("a kernel has a param and a result");
  const from = arrayName(param.lane);
  const to = arrayName(result.lane);
  const isOneSize = bytesOf(param.lane) === bytesOf(result.lane);
  let layout: Layout | null = null;
  /** The last run's answers in the room: runs tend to have one length. */
  let answers: Codes | null = null;

  /** @returns whether it was done */
  const runElsewhere = (input: Codes, output: Codes): boolean => {
    const count = input.length;
    if (layout?.buffer !== workspace.buffer) {
      layout = runner.layout(1, { isInside: false, isElsewhere: true });
      answers = null;
    }
    if (count > layout.rows) return false;
    const [source, target] = layout.addresses as readonly [number, number];
    (layout.views[0] as Codes).set(input);
    compute(source, target, count);
    if (answers?.length !== count) answers = codesAt(result.lane, layout.buffer, target, count);
    output.set(answers);
    return true;
  };
  const runInside = (input: Codes, output: Codes): boolean => {
    const [source, target] = [input.byteOffset, output.byteOffset];
    const isApart = source + input.byteLength <= target || target + output.byteLength <= source;
    if (!isApart && !(source === target && isOneSize)) return false;
    if (workspace.isReserved(input) || workspace.isReserved(output)) return false;
    compute(source, target, input.length);
    return true;
  };
  return (input, output, columns) => {
    const x = input as Codes;
    if (x?.[Symbol.toStringTag] !== from || !(x.length > 0)) return runner.run(input, output, columns);
    const y = output === undefined ? newCodes(result.lane, x.length) : (output as Codes);
    if (y?.[Symbol.toStringTag] !== to || !(x.length <= y.length)) return runner.run(input, output, columns);
    const [source, target, here] = [x.buffer, y.buffer, workspace.buffer];
    const isInside = source === here && target === here;
    const isElsewhere = source !== here && target !== here && (source !== target || x === y);
    const isDone = isInside ? runInside(x, y) : isElsewhere && runElsewhere(x, y);
    return isDone ? y : runner.run(input, y, columns);
  };
}
