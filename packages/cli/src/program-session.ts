// A program as what models are measured by: a session that other things can happen beside.

import { setImmediate } from "node:timers/promises";
import type { Session } from "lutra";
import type { LoadedProgram } from "lutra/run";

/** The program. It gives way before each run, which itself never waits: so Ctrl-C is heard, and progress shown, between runs. */
export function programSession(program: LoadedProgram): Session {
  return {
    async run(inputs, outputs) {
      await setImmediate();
      return program.run(inputs, outputs);
    },
    release: () => program.release(),
  };
}
