// Standard output, whole or an error: process.stdout drops what a full disk did not take, and throws where nobody can catch it.

import { writeSync } from "node:fs";
import { LutraError } from "lutra/base";
import { EXIT } from "./failure.ts";

const STDOUT = 1;
/** Pause before writing on to a reader that is slower than we are. */
const RETRY_MS = 5;

/** Writes all of the text. A reader that closes its end early (`lutra ... | head`) ends the process quietly. @throws LutraError "io" */
export function writeOutput(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(STDOUT, bytes, written);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(EXIT.ok);
      if (code !== "EAGAIN") throw cannotWrite(code, cause);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function cannotWrite(code: string | undefined, cause: unknown): LutraError {
  const why = code === "ENOSPC" ? "no space left on the device" : (code ?? String(cause));
  return new LutraError("io", `cannot write the output: ${why}`, { where: "standard output", cause });
}
