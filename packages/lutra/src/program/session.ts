// A program as a Session: numbers in, numbers out, by the definition. Slow; `lutra/run` is the fast one, with the same bits.

import type { Session } from "../base/index.ts";
import { interpret } from "./interpret.ts";
import { decodeOutputs, encodeInputs } from "./numbers.ts";
import type { Program } from "./types.ts";

/**
 * A session that answers with what a program's codes stand for. States start as zeros in every run.
 * @param program verified
 */
export function interpreterSession(program: Program): Session {
  return {
    async run(inputs, outputs = Object.keys(program.outputs)) {
      const all = decodeOutputs(program, interpret(program, encodeInputs(program, inputs)));
      return Object.fromEntries(outputs.map((name) => [name, all[name] as (typeof all)[string]]));
    },
    release: async () => {},
  };
}
