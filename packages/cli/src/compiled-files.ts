// The files that a compilation leaves: the model, every table, the plan, the report, and what --json prints.

import { basename, join } from "node:path";
import { type Compilation, planFile, toJson } from "lutra";
import { report } from "lutra-figures";
import type { CompileData } from "./compile-text.ts";
import type { StagedFolder } from "./files.ts";
import { tableFileText } from "./table-file.ts";

export interface Named {
  readonly file: string;
  readonly output: string;
  readonly dataset: string;
}

/** The model, every table, the plan, the report, and compile.json: what --json prints, but for the time, so that files repeat byte for byte. */
export async function writeFiles(folder: StagedFolder, named: Named, compilation: Compilation): Promise<CompileData> {
  const { model: chunks, plan, ...results } = compilation;
  const name = modelName(named.file);
  const modelFile = `${name}.lut.onnx`;
  const tableFiles = fileNames(results.tables.map((table) => table.name));
  const files = [modelFile, ...tableFiles, "plan.json", "report.html", "compile.json"].map((path) =>
    join(named.output, path),
  );
  const data: CompileData = { model: name, dataset: named.dataset, ...results, files };
  await folder.write(modelFile, chunks);
  for (const [i, { table, problem, certificate }] of results.tables.entries()) {
    await folder.write(tableFiles[i] as string, tableFileText({ table, problem, certificate }));
  }
  await folder.write("plan.json", `${toJson(planFile(plan), 2)}\n`);
  await folder.write("report.html", report(data));
  const { seconds: _, ...lasting } = data;
  await folder.write("compile.json", `${toJson(lasting)}\n`);
  return data;
}

/** The file without its folder and extension. */
export function modelName(file: string): string {
  return basename(file).replace(/\.onnx$/i, "");
}

/** tables/NAME.json with what a file name may hold; a number where two would be the same. */
function fileNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = name.replace(/[^A-Za-z0-9._-]+/g, "_");
    let chosen = plain;
    for (let n = 2; taken.has(chosen.toLowerCase()); n++) chosen = `${plain}-${n}`;
    taken.add(chosen.toLowerCase());
    return `tables/${chosen}.json`;
  });
}
