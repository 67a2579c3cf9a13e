// The command line as a contract: names, options, help. Every action imports its command only when it runs.

import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addCompare, addCompareModel } from "./program/comparisons.ts";
import { addCompile, addEvaluate, addInspect, addRefit } from "./program/models.ts";
import { addCertify, addEmit, addFit } from "./program/tables.ts";

const EXIT_CODES = `
Exit codes:
  0    done
  1    something you gave cannot be used (a function, a file, a name of a format or method, a value that does not
       suit them): the message says what, where, and what to do
  2    the command line is wrong: an option, or a number, range or choice that nothing else could make right
  70   internal error: please report it
  130  interrupted; nothing was written, but for what certify --exhaustive keeps to go on from`;

export function buildProgram(signal: AbortSignal): Command {
  const program = new Command("lutra")
    .description(
      "Compiles the non-linear layers of neural networks into small lookup tables whose error is proven, and whole models into integers.",
    )
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [COMMAND]", "the same as COMMAND --help")
    .addHelpText("after", `${EXIT_CODES}\n\nlutra COMMAND --help shows a command's options and an example.`)
    .showHelpAfterError("(lutra --help lists the commands)")
    .exitOverride();
  addFit(program, signal);
  addCertify(program, signal);
  addEmit(program, signal);
  addInspect(program, signal);
  addCompile(program, signal);
  addRefit(program, signal);
  addEvaluate(program, signal);
  addCompare(program, signal);
  addCompareModel(program, signal);
  return program;
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
