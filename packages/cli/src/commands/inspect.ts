// lutra inspect: the non-linear layers of an ONNX model.

import type { Layers } from "lutra/onnx";
import { formatsText } from "../codes-text.ts";
import type { Command, CommonOptions } from "../command.ts";
import { inFile, readModelFile } from "../model-file.ts";
import { skippedTable } from "../skipped-text.ts";
import { alignedTable, grouped, left, plural, right, type Style } from "../text.ts";

export interface InspectOptions extends CommonOptions {
  readonly file: string;
}

export interface InspectData extends Layers {
  readonly model: { readonly file: string; readonly opset: number; readonly nodes: number };
}

export const inspect: Command<InspectOptions, InspectData> = {
  async run({ file }) {
    const model = await readModelFile(file);
    const { findLayers } = await import("lutra/onnx");
    const { sites, skipped } = await inFile(file, () => findLayers(model));
    return { model: { file, opset: model.opset, nodes: model.graph.node.length }, sites, skipped };
  },
  print(data, style) {
    const { model, sites } = data;
    const title = `${model.file}: opset ${model.opset}, ${plural(model.nodes, "node")}, ${plural(sites.length, "non-linear layer")}`;
    const parts = sites.length === 0 ? [] : [kindTable(data, style), siteTable(data, style)];
    if (data.skipped.length > 0) parts.push(skippedTable(data.skipped, style));
    return [style.bold(title), ...parts].join("\n\n");
  },
};

function kindTable({ sites }: InspectData, style: Style): string {
  const counts = new Map<string, { kind: string; form: string; count: number; nodes: number }>();
  for (const { kind, form, nodes } of sites) {
    const key = `${kind} ${form}`;
    const before = counts.get(key) ?? { kind, form, count: 0, nodes: 0 };
    counts.set(key, { ...before, count: before.count + 1, nodes: before.nodes + nodes.length });
  }
  const rows = [...counts.values()].map(({ kind, form, count, nodes }) => [kind, form, grouped(count), grouped(nodes)]);
  return alignedTable([left("kind"), left("form"), right("layers"), right("nodes")], rows, style);
}

function siteTable({ sites }: InspectData, style: Style): string {
  const isQuantized = sites.some(({ formats }) => formats !== undefined);
  const rows = sites.map(({ id, kind, form, nodes, axes, formats }) => [
    kind,
    form,
    grouped(nodes.length),
    axes === null ? "" : axes.join(","),
    ...(isQuantized ? [formats === undefined ? "" : formatsText(formats)] : []),
    id,
  ]);
  const codes = isQuantized ? [left("codes")] : [];
  const columns = [left("kind"), left("form"), right("nodes"), right("axes"), ...codes, left("output")];
  return alignedTable(columns, rows, style);
}
