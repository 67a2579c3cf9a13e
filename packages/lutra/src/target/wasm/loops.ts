// run(input, output, count) as loops one after another, each in rounds of several values: the first takes whole rounds, the last what is
// left. Constants are set once, before the first round.

import { type Code, get, i32, op, repeatWhile, set, when } from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";

export interface Loop {
  /** Of what one step reads and writes. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Steps of one round. */
  readonly unrolled: number;
  /** Statements of step `at` of a round; `prologue` takes those that run once, before. */
  readonly body: (builder: FunctionBuilder, input: Code, output: Code, at: number, prologue: Code[]) => readonly Code[];
}

/**
 * A function (input: address, output: address, count: elements) without result. The last loop's step is one element; the steps of
 * those before are whole numbers of elements. Input and output may be the same, if their elements have one size, but not overlap else.
 */
export function loops(parts: readonly Loop[]): FunctionDefinition {
  const builder = new FunctionBuilder(["i32", "i32", "i32"], null);
  const [input, output, count] = builder.parameters as [
    (typeof builder.parameters)[0],
    (typeof builder.parameters)[0],
    (typeof builder.parameters)[0],
  ];
  const elementBytes = (parts.at(-1) as Loop).inputBytes;
  const end = builder.local("i32");
  const inputBytes = elementBytes === 1 ? get(count) : op("i32.mul", get(count), i32(elementBytes));
  const code: Code[] = [set(count, inputBytes), set(end, op("i32.add", get(input), get(count)))];
  for (const { inputBytes: from, outputBytes: to, unrolled, body } of parts) {
    const prologue: Code[] = [];
    const steps = Array.from({ length: unrolled }, (_, at) => body(builder, get(input), get(output), at, prologue));
    const left = op("i32.sub", get(end), get(input));
    const round = i32(from * unrolled);
    const hasRound = op("i32.eqz", op("i32.lt_u", left, round));
    const advance = [
      set(output, op("i32.add", get(output), i32(to * unrolled))),
      set(input, op("i32.add", get(input), round)),
    ];
    code.push(when(hasRound, ...prologue, repeatWhile(hasRound, ...steps.flat(), ...advance)));
  }
  return builder.finish(...code);
}
