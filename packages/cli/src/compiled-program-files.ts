// The files that a compilation into integers leaves: the program, the report, and what --json prints.

import { join } from "node:path";
import { type CompiledProgram, type Program, toJson } from "lutra";
import { programReport } from "lutra-figures";
import { modelName, type Named } from "./compiled-files.ts";
import type { CompiledProgramData } from "./compiled-program-text.ts";
import type { StagedFolder } from "./files.ts";
import { portsOf, stepCounts } from "./program-ports.ts";

interface NamedProgram extends Named {
  /** Of the model that was compiled, with the files of its tensors. */
  readonly originalBytes: number;
}

interface Compiled {
  readonly program: Program;
  /** The program's file. */
  readonly bytes: Uint8Array;
  readonly results: Omit<CompiledProgram, "program">;
}

/** The program, the report, and compile.json: what --json prints, but for the time, so that files repeat byte for byte. */
export async function writeProgramFiles(
  folder: StagedFolder,
  named: NamedProgram,
  { program, bytes, results }: Compiled,
): Promise<CompiledProgramData> {
  const model = modelName(named.file);
  const programFile = `${model}.lutra`;
  const data: CompiledProgramData = {
    to: "program",
    model,
    dataset: named.dataset,
    ...results,
    bytes: bytes.length,
    originalBytes: named.originalBytes,
    ...stepCounts(program),
    ...portsOf(program),
    files: [programFile, "report.html", "compile.json"].map((path) => join(named.output, path)),
  };
  await folder.write(programFile, bytes);
  await folder.write("report.html", programReport(data));
  const { seconds: _, ...lasting } = data;
  await folder.write("compile.json", `${toJson(lasting)}\n`);
  return data;
}
