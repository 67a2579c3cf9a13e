// What every command of the command line has: help, --json, examples; and choices that several offer.

import { type Command, Option } from "commander";

/** Options of a command whose argument is a file. */
export type Chosen<Options> = Omit<Options, "file">;

export const SPLITS: readonly string[] = ["report", "selection", "calibration", "all"];
export const NORMS: readonly string[] = ["max", "relative", "ulp", "mse"];

export function addCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption("-h, --help", "print this help")
    .showHelpAfterError(`(lutra ${name} --help lists its options; write -- before an expression that begins with -)`)
    .option("--json", "print one JSON document instead of text");
}

export function breakpointRounding(): Option {
  return new Option(
    "--breakpoint-rounding <HOW>",
    "of genetic and relu-net: breakpoints as the nearest codes, as published, or as exact comparisons",
  ).choices(["nearest", "exact"]);
}

export function example(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
