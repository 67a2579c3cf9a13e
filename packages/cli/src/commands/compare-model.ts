// lutra compare-model: what each method costs a whole model, by method, size and kind of layer replaced.

import { compareModel as compareMethods, type ModelComparison, type Norm } from "lutra";
import { openSession } from "lutra/onnxruntime";
import type { Command, CommonOptions } from "../command.ts";
import { readDataset } from "../dataset-file.ts";
import { metricText } from "../metric-text.ts";
import { inFile, loadRuntime, readWholeModel } from "../model-file.ts";
import { alignedTable, grouped, left, percent, plural, right, type Style, seconds, significant } from "../text.ts";

export interface CompareModelOptions extends CommonOptions {
  readonly file: string;
  readonly data: string;
  readonly methods: readonly string[];
  /** Parameters of methods. */
  readonly with?: Readonly<Record<string, string | number>>;
  readonly segments: readonly number[];
  readonly replace?: readonly string[];
  readonly ranges?: string;
  readonly norm: Norm;
  readonly seed: number;
}

export interface CompareModelData extends ModelComparison {
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly model: string;
  readonly dataset: string;
}

export const compareModel: Command<CompareModelOptions, CompareModelData> = {
  async run(options, control) {
    const { file, data, methods, segments, replace, ranges, norm, seed } = options;
    const parameters = options.with ?? {};
    const model = await readWholeModel(file, "comparing methods on it");
    const dataset = await readDataset(data);
    const ort = await loadRuntime();
    const asked = {
      ...{ methods, parameters, segments, norm, seed },
      ...(replace === undefined ? {} : { replaced: replace }),
      ...(ranges === undefined ? {} : { ranges }),
    };
    const tools = {
      openSession: (bytes: Uint8Array) => openSession(ort, bytes),
      now: () => performance.now(),
    };
    const compared = await inFile(file, () => compareMethods(model, dataset, asked, tools, control));
    return { model: file, dataset: dataset.name, parameters, ...compared };
  },
  print(data, style) {
    const { model, dataset, samples, parameters, rows, refused } = data;
    const given = Object.entries(parameters).map(([name, value]) => `, ${name}=${value}`);
    const title = style.bold(`${model} on ${plural(samples, "sample")} of ${dataset}${given.join("")}`);
    const parts = [`${title}\n${rowTable(data, style)}`];
    if (refused.length > 0) {
      const reasons = refused.map(({ method, segments, reason }) => [method, grouped(segments), reason]);
      parts.push(alignedTable([left("not in it"), right("segments"), left("because")], reasons, style));
    }
    return rows.length + refused.length === 0 ? title : parts.join("\n\n");
  },
};

function rowTable({ before, rows }: CompareModelData, style: Style): string {
  const names = Object.keys(before);
  const columns = [
    ...[left("replaced"), left("method"), right("segments")],
    ...names.map(right),
    ...[right("flips"), right("mean logit error"), right("bytes"), right("found in")],
  ];
  const metricsOf = (metrics: Readonly<Record<string, number>>): readonly string[] =>
    names.map((name) => metricText(name, metrics[name] ?? Number.NaN));
  const cells = rows.map((row) => [
    ...[row.replaced, row.method, row.segments === 0 ? "" : grouped(row.segments)],
    ...metricsOf(row.metrics),
    ...[percent(row.flips), significant(row.logitError.mean), grouped(row.bytes), seconds(row.seconds)],
  ]);
  return alignedTable(columns, [["none", "the model as it is", "", ...metricsOf(before)], ...cells], style);
}
