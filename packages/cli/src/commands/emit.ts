// lutra emit: a table as source code. The library writes the text; here are the comment at its top, which a fresh certificate fills, and
// the files. Nothing is written unless everything can be.

import { basename } from "node:path";
import {
  type Certificate,
  decode,
  type ErrorBound,
  elementwise,
  emitC,
  emitTypeScript,
  fill,
  type SourceFile,
} from "lutra";
import { intervalText } from "../certificate-text.ts";
import type { Command, CommonOptions } from "../command.ts";
import { stageFolder } from "../files.ts";
import { inFile } from "../model-file.ts";
import { readTableFile } from "../table-file.ts";
import { certifyTable } from "./certify.ts";

/** The languages that a table is written in. */
const TARGETS: Readonly<Record<"c" | "typescript", typeof emitC>> = { c: emitC, typescript: emitTypeScript };

export interface EmitOptions extends CommonOptions {
  readonly file: string;
  readonly target: keyof typeof TARGETS;
  /** Folder for the files. */
  readonly output: string;
}

export interface EmitData {
  readonly fn: string;
  readonly target: string;
  readonly files: readonly string[];
  readonly certificate: Certificate;
}

export const emit: Command<EmitOptions, EmitData> = {
  async run({ file, target, output }, control) {
    const { table } = await readTableFile(file);
    const kernel = fill(elementwise(table.spec), { f: table });
    await inFile(file, () => TARGETS[target](kernel)); // what cannot be written is refused before the proof
    const certificate = await certifyTable(table, control);
    const about = [...proven(certificate), `made by: lutra emit ${basename(file)} --target ${target}`];
    const files = await writeFiles(output, TARGETS[target](kernel, { about }));
    return { fn: table.spec.fn, target, files, certificate };
  },
  print: ({ files }) => files.join("\n"),
};

/** Numbers in full, since they stand where nobody can look them up. */
function proven({ spec, absolute, relative, shown, over }: Certificate): readonly string[] {
  const bound = (name: string, { upper, lower, at }: ErrorBound): string => {
    const worst = at === null ? "" : `, attained ${lower} at x = ${decode(spec.input, at)}`;
    return `${name} at most ${upper}${worst}`;
  };
  return [
    `proven on ${intervalText(spec.domain)} (${shown}, over ${over}):`,
    bound("  error", absolute),
    bound(`  error relative to max(|f|, ${relative.floor})`, relative),
  ];
}

async function writeFiles(output: string, files: readonly SourceFile[]): Promise<readonly string[]> {
  const folder = await stageFolder(output, { writesTables: false });
  try {
    for (const { name, text } of files) await folder.write(name, text);
  } catch (error) {
    await folder.discard();
    throw error;
  }
  return await folder.commit();
}
