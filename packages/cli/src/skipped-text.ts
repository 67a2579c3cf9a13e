// Layers that no table replaces, for people: what stays as it is, and why.

import type { Skipped } from "lutra/onnx";
import { alignedTable, grouped, left, right, type Style } from "./text.ts";

/** Operators that stay as they are, alike ones together. */
export function skippedTable(skipped: readonly Skipped[], style: Style): string {
  const groups = new Map<string, { operator: string; reason: string; ids: string[] }>();
  for (const { operator, reason, id } of skipped) {
    const key = `${operator} ${reason}`;
    const group = groups.get(key) ?? { operator, reason, ids: [] };
    groups.set(key, group);
    group.ids.push(id);
  }
  const rows = [...groups.values()].map(({ operator, reason, ids }) => {
    return [operator, grouped(ids.length), ids[0] ?? "", reason];
  });
  return alignedTable([left("left alone"), right("count"), left("first output"), left("because")], rows, style);
}
