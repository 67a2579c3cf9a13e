// lutra inspect: the non-linear layers of an ONNX model.

import { findSites, type Site } from "lutra";
import type { Command, CommonOptions } from "../command.ts";
import { inFile, readModelFile } from "../model-file.ts";
import { alignedTable, grouped, left, plural, right, type Style } from "../text.ts";

export interface InspectOptions extends CommonOptions {
  readonly file: string;
}

export interface InspectData {
  readonly model: { readonly file: string; readonly opset: number; readonly nodes: number };
  readonly sites: readonly Site[];
}

export const inspect: Command<InspectOptions, InspectData> = {
  async run({ file }) {
    const model = await readModelFile(file);
    const sites = await inFile(file, () => findSites(model));
    return { model: { file, opset: model.opset, nodes: model.graph.node.length }, sites };
  },
  print(data, style) {
    const { model, sites } = data;
    const title = `${model.file}: opset ${model.opset}, ${plural(model.nodes, "node")}, ${plural(sites.length, "non-linear layer")}`;
    if (sites.length === 0) return style.bold(title);
    return [style.bold(title), kindTable(data, style), siteTable(data, style)].join("\n\n");
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
  const rows = sites.map(({ id, kind, form, nodes, axes }) => [
    kind,
    form,
    grouped(nodes.length),
    axes === null ? "" : axes.join(","),
    id,
  ]);
  return alignedTable([left("kind"), left("form"), right("nodes"), right("axes"), left("output")], rows, style);
}
