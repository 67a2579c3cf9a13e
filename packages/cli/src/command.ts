// What every command is: a computation that returns plain data, and the text a person reads, made from that same data.

import type { Control } from "lutra/base";
import { progressLine } from "./progress.ts";
import type { Style } from "./text.ts";

export interface Command<Options, Data> {
  run(options: Options, context: Context): Promise<Data>;
  print(data: Data, style: Style): string;
}

interface Context extends Control {
  /** A remark beside the result, on stderr. */
  warn(text: string): void;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
}

/** Runs the command and writes one JSON document or its text on stdout. */
export async function runCommand<Options extends CommonOptions, Data>(
  command: Command<Options, Data>,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const progress = progressLine(process.stderr);
  const warn = (text: string): void => {
    progress.clear();
    process.stderr.write(`lutra: ${text}\n`);
  };
  try {
    const data = await command.run(options, { signal, onProgress: progress.show, warn });
    progress.clear();
    const text = await render(command, data, options.json === true);
    const { writeOutput } = await import("./output.ts");
    writeOutput(`${text}\n`);
  } finally {
    progress.clear();
  }
}

async function render<Options, Data>(command: Command<Options, Data>, data: Data, json: boolean): Promise<string> {
  const { toJson } = await import("lutra/base");
  const { styleFor } = await import("./text.ts");
  return json ? toJson(data) : command.print(data, styleFor(process.stdout));
}
