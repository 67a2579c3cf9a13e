// report.html: one file, no scripts, nothing loaded from elsewhere. What was compiled, what it changed, each table with its proof.

import { printFormat, segmentCount, tableBytes } from "lutra";
import {
  collapsible,
  definitions,
  htmlPage,
  htmlTable,
  numeric,
  paragraph,
  reportHeader,
  section,
  text,
} from "./html.ts";
import { bytes, grouped, plural } from "./numbers.ts";
import { accuracyNote, accuracyTable, CHANGE_GLOSSARY, changeCards } from "./report-accuracy.ts";
import { budgetSection } from "./report-budget.ts";
import type { ReportData, ReportSite } from "./report-data.ts";
import { examplesSection } from "./report-examples.ts";
import { provenError, tableCard } from "./report-table.ts";
import { element, escapeMarkup } from "./svg.ts";

/** Tables beyond these start folded, so that a model of many layers still gives a page one can read from the top. */
const OPEN_TABLES = 4;
/** Node names beyond these are counted, not listed. */
const MAX_NODES_LISTED = 6;

/** A whole HTML document. */
export function report(data: ReportData): string {
  return htmlPage(
    `${data.model}: compiled by Lutra`,
    header(data),
    section("What changed", accuracyTable(data, "with tables"), accuracyNote(data)),
    ...(data.examples === undefined ? [] : [examplesSection(data.examples)]),
    ...(data.allocation === undefined || data.allocation === null ? [] : [budgetSection(data.allocation)]),
    section("What was compiled", compiledTable(data)),
    section("The tables", TABLES_NOTE, ...data.tables.map((table, i) => tableCard(table, data, i, i < OPEN_TABLES))),
    section("The layers", siteList(data)),
    section("How to read this", GLOSSARY),
    footer(data),
  );
}

function header(data: ReportData): string {
  const stored = data.tables.reduce((sum, { table }) => sum + tableBytes(table), 0);
  const lead =
    `${plural(data.sites.length, "non-linear layer")} of this model now run on ${plural(data.tables.length, "lookup table")}, ` +
    `${bytes(stored)} together. The error of every table is proven, and what it changes was measured on ${plural(data.samples, "sample")}.`;
  return reportHeader(data.model, lead, changeCards(data));
}

interface Kind {
  readonly kind: string;
  readonly sites: readonly ReportSite[];
}

function kindsOf({ sites }: ReportData): readonly Kind[] {
  const kinds = new Map<string, ReportSite[]>();
  for (const site of sites) kinds.set(site.kind, [...(kinds.get(site.kind) ?? []), site]);
  return [...kinds].map(([kind, members]) => ({ kind, sites: members }));
}

function compiledTable(data: ReportData): string {
  const rows = kindsOf(data).map(({ kind, sites }) => {
    const names = new Set(sites.flatMap((site) => site.tables));
    const tables = data.tables.filter(({ name }) => names.has(name));
    const segments = [...new Set(tables.map(({ table }) => segmentCount(table)))].sort((a, b) => a - b);
    return [
      text(kind),
      numeric(grouped(sites.length)),
      text(formsOf(sites)),
      text([...new Set(tables.map(({ table }) => table.spec.fn))].join(", ")),
      numeric(grouped(tables.length)),
      numeric(segments.length > 2 ? `${segments[0]}\u2013${segments.at(-1)}` : segments.join(", ")),
      numeric(grouped(tables.reduce((sum, { table }) => sum + tableBytes(table), 0))),
      numeric(largestError(sites)),
    ];
  });
  return htmlTable(
    ["layer", "count", "written as", "functions", "tables", "segments", "bytes", "proven error of a layer"],
    rows,
  );
}

function formsOf(sites: readonly ReportSite[]): string {
  return [...new Set(sites.map(({ form }) => form))].join(", ");
}

function largestError(sites: readonly ReportSite[]): string {
  const [first, ...rest] = sites.map(({ certificate }) => provenError(certificate));
  if (first === undefined) return "";
  const worst = rest.reduce((a, b) => (b.value > a.value ? b : a), first);
  return worst.text;
}

function siteList({ sites }: ReportData): string {
  const rows = sites.map((site) => [
    text(site.id),
    text(site.kind),
    text(site.form),
    { markup: site.tables.map((name) => element("a", { href: `#table-${name}` }, escapeMarkup(name))).join(", ") },
    numeric(provenError(site.certificate).text),
    text(nodeNames(site.nodes)),
  ]);
  const list = htmlTable(["layer", "kind", "written as", "tables", "proven error", "nodes it replaces"], rows);
  return collapsible(`All ${plural(sites.length, "layer")}`, list);
}

function nodeNames(nodes: readonly string[]): string {
  const shown = nodes.slice(0, MAX_NODES_LISTED).join(", ");
  return nodes.length > MAX_NODES_LISTED ? `${shown} and ${nodes.length - MAX_NODES_LISTED} more` : shown;
}

function footer({ tables }: ReportData): string {
  const formats = [...new Set(tables.map(({ table }) => printFormat(table.spec.input)))].join(", ");
  return element(
    "footer",
    {},
    `Tables over ${escapeMarkup(formats)}. Every table is in tables/ as JSON; <code>lutra certify</code> proves it again.`,
  );
}

const TABLES_NOTE: string = paragraph(
  "note",
  "Each figure shows, over one axis: the exact function under its table, the error of the table between the two proven bounds, and the inputs that the layers were seen to get. The ring marks the worst input.",
);

const GLOSSARY: string = definitions([
  [
    "proven error",
    "no input of the stated range has a larger one; shown by trying every input, or by interval arithmetic over all of them",
  ],
  ["worst input", "an input at which the largest measured error is attained, so the bound is not far from the truth"],
  ...CHANGE_GLOSSARY,
]);
