// lutra evaluate: what a model or a program scores on a dataset, alone or beside another.

import { compareScores, type Split } from "lutra";
import type { Command, CommonOptions } from "../command.ts";
import { readDataset } from "../dataset-file.ts";
import { type Metrics, metricText } from "../metric-text.ts";
import { scoreModel } from "../scored-model.ts";
import { alignedTable, facts, left, percent, plural, right, type Style, significant } from "../text.ts";

export interface EvaluateOptions extends CommonOptions {
  readonly file: string;
  readonly data: string;
  readonly against?: string;
  readonly split: Split;
}

export interface EvaluateData {
  readonly model: string;
  readonly dataset: string;
  readonly split: Split;
  readonly samples: number;
  readonly metrics: Metrics;
  readonly against: { readonly model: string; readonly metrics: Metrics } | null;
  /** Share of predictions that differ from the other model's; null without one. */
  readonly flips: number | null;
  readonly logitError: { readonly max: number; readonly mean: number } | null;
}

export const evaluate: Command<EvaluateOptions, EvaluateData> = {
  async run({ file, data, against, split }, control) {
    const dataset = await readDataset(data);
    const own = await scoreModel(file, dataset, split, control);
    const other = against === undefined ? null : await scoreModel(against, dataset, split, control);
    const comparison = other === null ? null : compareScores(other, own);
    return {
      model: file,
      dataset: dataset.name,
      split,
      samples: own.samples,
      metrics: own.metrics,
      against: other === null || against === undefined ? null : { model: against, metrics: other.metrics },
      flips: comparison?.flips ?? null,
      logitError: comparison?.logitError ?? null,
    };
  },
  print(data, style) {
    const { model, dataset, split, samples } = data;
    const title = style.bold(`${model} on ${plural(samples, "sample")} of ${dataset} (${split})`);
    return `${title}\n${data.against === null ? metricFacts(data, style) : comparison(data, style)}`;
  },
};

function metricFacts({ metrics }: EvaluateData, style: Style): string {
  const pairs = Object.entries(metrics).map(([name, value]) => [name, metricText(name, value)] as const);
  return pairs.length === 0 ? "no targets, so nothing to measure but outputs: use --against" : facts(pairs, style);
}

function comparison({ metrics, against, flips, logitError }: EvaluateData, style: Style): string {
  const rows = Object.entries(metrics).map(([name, value]) => [
    name,
    metricText(name, against?.metrics[name] ?? Number.NaN),
    metricText(name, value),
  ]);
  rows.push(["flips", "", flips === null ? "" : percent(flips)]);
  rows.push(["largest logit error", "", significant(logitError?.max ?? 0)]);
  rows.push(["mean logit error", "", significant(logitError?.mean ?? 0)]);
  return alignedTable([left(""), right("other"), right("this")], rows, style);
}
