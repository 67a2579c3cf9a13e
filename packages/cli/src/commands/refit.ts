// lutra refit: a plan's tables fitted again to what the layers of the model see, without labels (NN-LUT's calibration).

import { type Refit, refit as refitModel } from "lutra";
import { openSession } from "lutra/onnxruntime";
import type { Command, CommonOptions } from "../command.ts";
import { type CompileData, compileText } from "../compile-text.ts";
import { writeFiles } from "../compiled-files.ts";
import { readDataset } from "../dataset-file.ts";
import { stageFolder } from "../files.ts";
import { metricText } from "../metric-text.ts";
import { inFile, loadRuntime, readWholeModel } from "../model-file.ts";
import { readPlan } from "../plan-file.ts";
import { alignedTable, left, percent, right, type Style } from "../text.ts";

export interface RefitOptions extends CommonOptions {
  readonly file: string;
  readonly data: string;
  readonly plan: string;
  readonly output: string;
  readonly perLayer?: boolean;
  readonly flat?: boolean;
  readonly seed: number;
}

export interface RefitData extends CompileData {
  readonly unfitted: Refit["unfitted"];
}

export const refit: Command<RefitOptions, RefitData> = {
  async run(options, control) {
    const { file, seed, flat, perLayer } = options;
    const plan = await readPlan(options.plan);
    const model = await readWholeModel(file, "refitting its tables");
    const dataset = await readDataset(options.data);
    const ort = await loadRuntime();
    const folder = await stageFolder(options.output);
    try {
      const chosen = { perLayer: perLayer === true, flat: flat === true, seed };
      const tools = { openSession: (bytes: Uint8Array) => openSession(ort, bytes), now: () => performance.now() };
      const { unfitted, ...compilation } = await inFile(file, () =>
        refitModel(model, dataset, plan, chosen, tools, control),
      );
      const named = { file, output: options.output, dataset: dataset.name };
      const data = await writeFiles(folder, named, { ...compilation, allocation: null });
      await folder.commit();
      return { ...data, unfitted };
    } catch (error) {
      await folder.discard();
      throw error;
    }
  },
  print: (data, style) => `${compileText(data, style)}\n\n${recovered(data, style)}`,
};

/** What the plan's own tables cost beside what the refitted ones do. */
function recovered({ before, after, unfitted, flips }: RefitData, style: Style): string {
  const rows = Object.entries(before).map(([name, value]) => [
    name,
    metricText(name, value),
    metricText(name, unfitted.metrics[name as keyof typeof before] ?? Number.NaN),
    metricText(name, after[name as keyof typeof before] ?? Number.NaN),
  ]);
  rows.push(["flips", "", percent(unfitted.flips), percent(flips)]);
  return alignedTable([left(""), right("original"), right("tables as planned"), right("refitted")], rows, style);
}
