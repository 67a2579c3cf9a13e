// lutra emit: tables as code. The library writes the text and the modules; here are the kernel that the tables make, what is said at the
// top of each file, and the files. Nothing is written unless everything can be, and nothing over a file that says something else.

import {
  type Certificate,
  type Control,
  certify,
  drive,
  type EmittedFile,
  type EmitWasmOptions,
  emitC,
  emitTypeScript,
  emitWasm,
  type Kernel,
  LutraError,
  tablesOf,
} from "lutra";
import type { Command } from "../command.ts";
import type { EmitOptions } from "../emit-options.ts";
import { aboutText, isWhole, type Proof } from "../emit-text.ts";
import { stageFolder } from "../files.ts";
import { kernelFrom, type NamedTable } from "../layer-kernel.ts";
import { inFile } from "../model-file.ts";
import { readTableFile } from "../table-file.ts";
import { certifyTable } from "./certify.ts";

const TARGETS: Readonly<
  Record<EmitOptions["target"], (kernel: Kernel, options: EmitWasmOptions) => readonly EmittedFile[]>
> = { c: emitC, typescript: emitTypeScript, wasm: emitWasm };

export interface EmitData {
  readonly fn: string;
  readonly target: string;
  readonly files: readonly string[];
  /** Of the kernel; null if there is none of its whole. */
  readonly certificate: Certificate | null;
}

export const emit: Command<EmitOptions, EmitData> = {
  async run(options, control) {
    const { files, target, name, form, output, force } = options;
    const tables: NamedTable[] = [];
    for (const file of files) tables.push({ file, table: (await readTableFile(file)).table });
    const where = files.length > 0 ? files.join(", ") : `--in ${options.in}`;
    const kernel = await inFile(where, () => kernelFrom(tables, options));
    const given = {
      ...(name === undefined ? {} : { name }),
      ...(form === undefined ? {} : { forms: form }),
    };
    await inFile(where, () => TARGETS[target](kernel, given)); // what cannot be written is refused before the proof
    const proof = await proofOf(kernel, control);
    const about = aboutText(proof, options);
    const paths = await writeFiles(output, TARGETS[target](kernel, { ...given, about }), force === true);
    return { fn: kernel.spec.fn, target, files: paths, certificate: isWhole(proof) ? proof : null };
  },
  print: ({ files }) => files.join("\n"),
};

async function proofOf(kernel: Kernel, control: Control): Promise<Proof> {
  try {
    return await drive(certify(kernel), control);
  } catch (error) {
    if (!(error instanceof LutraError && error.code === "unsupported")) throw error;
    const certificates: [string, Certificate][] = [];
    for (const [hole, table] of Object.entries(tablesOf(kernel))) {
      certificates.push([hole, await certifyTable(table, control)]);
    }
    return Object.fromEntries(certificates);
  }
}

async function writeFiles(
  output: string,
  files: readonly EmittedFile[],
  mayReplace: boolean,
): Promise<readonly string[]> {
  const folder = await stageFolder(output, { writesTables: false, mayReplace });
  try {
    for (const file of files) await folder.write(file.name, "text" in file ? file.text : file.bytes);
  } catch (error) {
    await folder.discard();
    throw error;
  }
  return await folder.commit();
}
