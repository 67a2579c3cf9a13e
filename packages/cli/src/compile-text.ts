// What `lutra compile` found and changed, for people: layers by kind with their tables and proven errors, then the metrics.

import { basename, dirname } from "node:path";
import {
  type Certificate,
  type Compilation,
  type CompiledAllocation,
  type CompiledSite,
  type CompiledTable,
  segmentCount,
  tableBytes,
} from "lutra";
import { roundingText, typesText } from "./codes-text.ts";
import { changeTable } from "./metric-text.ts";
import { skippedTable } from "./skipped-text.ts";
import {
  alignedTable,
  grouped,
  left,
  percent,
  plural,
  right,
  type Style,
  seconds as secondsText,
  significant,
} from "./text.ts";

export interface CompileData extends Omit<Compilation, "model" | "plan"> {
  readonly model: string;
  readonly dataset: string;
  readonly files: readonly string[];
}

export function compileText(data: CompileData, style: Style): string {
  const { model, sites, tables, seconds } = data;
  const title = `${model}: ${plural(sites.length, "layer")} compiled into ${plural(tables.length, "table")} in ${secondsText(seconds)}`;
  return [
    style.bold(title),
    kindTable(data, style),
    ...(data.skipped.length === 0 ? [] : [skippedTable(data.skipped, style)]),
    tableTable(data, style),
    changeTable(data, ["before", "after"], style),
    ...(data.allocation === null ? [] : [allocationText(data.allocation, data.tables, style)]),
    fileList(data, style),
  ].join("\n\n");
}

function kindTable({ sites, tables }: CompileData, style: Style): string {
  const columns = [
    left("layer"),
    right("count"),
    left("form"),
    right("tables"),
    right("segments"),
    right("bytes"),
    right("proven max error"),
  ];
  const rows = [...new Set(sites.map(layerText))].map((kind) => {
    const members = sites.filter((site) => layerText(site) === kind);
    const names = new Set(members.flatMap((site) => site.tables));
    const used = tables.filter(({ name }) => names.has(name));
    return [
      kind,
      grouped(members.length),
      [...new Set(members.map(({ form }) => form))].join(", "),
      grouped(used.length),
      [...new Set(used.map(({ table }) => segmentCount(table)))].join(", "),
      grouped(used.reduce((sum, { table }) => sum + tableBytes(table), 0)),
      largestError(members, used),
    ];
  });
  return alignedTable(columns, rows, style);
}

/** The kind, and the integers of a layer from codes to codes. */
function layerText({ kind, formats }: CompiledSite): string {
  return formats === undefined ? kind : `${kind}, ${typesText(formats)}`;
}

function tableTable({ tables, sites }: CompileData, style: Style): string {
  const columns = [
    left("table"),
    left("function"),
    right("segments"),
    right("bytes"),
    right("proven error"),
    right("optimum at least"),
    right("layers"),
    left("proven over"),
  ];
  const rows = tables.map(({ name, table, certificate, bound, problem }) => [
    name,
    table.spec.fn,
    grouped(segmentCount(table)),
    grouped(tableBytes(table)),
    roundingText(certificate) ??
      (problem.norm === "relative" ? `${significant(certificate.relative.upper)} relative` : provenError(certificate)),
    bound > 0 ? `${significant(bound)} ${problem.norm}` : "not known",
    grouped(sites.filter((site) => site.tables.includes(name)).length),
    certificate.over,
  ]);
  return alignedTable(columns, rows, style);
}

/** What the budget bought: bytes against the uniform plan, and why they are not fewer. */
function allocationText(
  { chosen, uniform, segments, chosenOn, front, why }: CompiledAllocation,
  tables: readonly CompiledTable[],
  style: Style,
): string {
  const listed = tables.some(({ table }) => table.spec.input.kind === "integer")
    ? ", one entry per code of 8 bits"
    : "";
  const saved = `${grouped(chosen.bytes)} bytes of tables, ${percent(chosen.bytes / uniform.bytes)} of the ${grouped(uniform.bytes)} with ${segments} segments everywhere${listed}`;
  return [style.bold(saved), `${plural(front.length, "plan")} tried on ${chosenOn}`, why].join("\n  ");
}

function fileList({ files }: CompileData, style: Style): string {
  const shown = files.filter((path) => basename(dirname(path)) !== "tables");
  const tables = files.length - shown.length;
  return [style.bold("written"), ...shown, `and ${plural(tables, "table")} in tables/`].join("\n  ");
}

/** Of the layers, the largest: absolute where one is proven, else relative; relative too where that is what their one table was made for. */
function largestError(sites: readonly CompiledSite[], tables: readonly CompiledTable[]): string {
  const farthest = sites.reduce((a, b) =>
    (b.certificate.offBy?.length ?? 0) > (a.certificate.offBy?.length ?? 0) ? b : a,
  );
  const rounding = roundingText(farthest.certificate);
  if (rounding !== null) return rounding;
  if (tables.every(({ hole, problem }) => hole === "f" && problem.norm === "relative")) {
    return `${significant(Math.max(...sites.map(({ certificate }) => certificate.relative.upper)))} relative`;
  }
  const worst = sites.reduce((a, b) => (size(b.certificate) > size(a.certificate) ? b : a));
  return provenError(worst.certificate);
}

function size({ absolute, relative }: Certificate): number {
  return Number.isFinite(absolute.upper) ? absolute.upper : relative.upper;
}

function provenError({ absolute, relative }: Certificate): string {
  return Number.isFinite(absolute.upper) ? significant(absolute.upper) : `${significant(relative.upper)} relative`;
}
