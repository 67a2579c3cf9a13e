// The entry of the `lutra` command: reads argv, runs one command, prints its data, sets the exit code. Commands are imported
// only when called for, so that --help answers at once. Nothing here knows what a command does.

import { CommanderError } from "commander";
import { EXIT, exitCodeOf, failureText } from "./failure.ts";
import { interruptSignal } from "./interrupt.ts";
import { buildProgram } from "./program.ts";

// Only help goes through this stream (see output.ts): a reader that closes its end early (`lutra --help | head`) is no failure of ours.
process.stdout.on("error", () => process.exit(EXIT.ok));

async function main(): Promise<number> {
  try {
    await buildProgram(interruptSignal()).parseAsync(process.argv);
    return EXIT.ok;
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(failureText(error));
    return exitCodeOf(error);
  }
}

process.exitCode = await main();
