// One table in the report: its figure, what its certificate says, and its coefficients, folded.

import { type Certificate, decode, parseFn, printFormat, segmentCount, type Table, tableBytes } from "lutra";
import type { ErrorKind } from "./curves.ts";
import { collapsible, definitions, htmlTable, numeric } from "./html.ts";
import { bytes, grouped, plural } from "./numbers.ts";
import type { ReportData, ReportTable } from "./report-data.ts";
import { shortNumber } from "./scale.ts";
import { element, escapeMarkup } from "./svg.ts";
import { tableFigure } from "./table-figure.ts";

/** More rows than this make the page heavy; the JSON file has them all. */
const MAX_ROWS = 512;

export function tableCard(entry: ReportTable, data: ReportData, index: number, open: boolean): string {
  const { name, table, certificate, histogram, problem } = entry;
  const users = data.sites.filter((site) => site.tables.includes(name)).length;
  const figure = tableFigure({
    id: `figure-${index}`,
    name: table.spec.fn,
    table,
    exact: (x) => parseFn(table.spec.fn).evaluate(x),
    certificate,
    histogram,
    range: problem.grid,
    error: errorKind(entry),
  });
  const summary = [
    element("strong", {}, escapeMarkup(name)),
    element("span", { class: "fn" }, escapeMarkup(table.spec.fn)),
    element("span", {}, `${plural(segmentCount(table), "segment")}, ${bytes(tableBytes(table))}`),
    element(
      "span",
      {},
      `error at most ${shortNumber(certificate[errorKind(entry)].upper)}${errorKind(entry) === "relative" ? " relative" : ""}`,
    ),
    element("span", {}, plural(users, "layer")),
  ].join(" ");
  const content = figure + tableFacts(entry) + collapsible("Coefficients", coefficientTable(table, certificate));
  return element("div", { id: `table-${name}` }, collapsible(summary, content, { open, style: "table-card" }));
}

/** The error that was made small, if it is bounded over the whole domain; else the one that is. */
function errorKind({ problem, certificate }: ReportTable): ErrorKind {
  if (problem.norm === "relative") return "relative";
  return Number.isFinite(certificate.absolute.upper) ? "absolute" : "relative";
}

/** The error a reader should compare: absolute, or relative where no absolute bound holds. */
export function provenError({ absolute, relative }: Certificate): { readonly value: number; readonly text: string } {
  if (Number.isFinite(absolute.upper)) return { value: absolute.upper, text: shortNumber(absolute.upper) };
  return { value: relative.upper, text: `${shortNumber(relative.upper)} relative` };
}

function tableFacts({ table, certificate, problem, method, objective, bound }: ReportTable): string {
  const { spec } = table;
  const kind = problem.norm === "relative" ? certificate.relative : certificate.absolute;
  const worst =
    kind.at === null
      ? "none"
      : `x = ${shortNumber(decode(spec.input, kind.at), 7)}, error ${shortNumber(kind.lower, 4)}`;
  const pairs: [string, string][] = [
    ["proven", provenText(certificate)],
    ["worst input", worst],
    ["shown", `${SHOWN[certificate.shown]}, over ${escapeMarkup(certificate.over)}`],
    [
      "found by",
      `${escapeMarkup(method)}, ${problem.norm} error ${shortNumber(objective, 4)}; no table of this size can have less than ${shortNumber(bound, 4)}`,
    ],
    ["formats", escapeMarkup(`${printFormat(spec.input)} to ${printFormat(spec.output)}`)],
    ["stored as", escapeMarkup(storage(table))],
  ];
  for (const property of certificate.properties) pairs.push(["property", escapeMarkup(property)]);
  if (certificate.dead.length > 0)
    pairs.push([
      "no effect",
      `${grouped(certificate.dead.length)} of the stored numbers could change without changing any answer`,
    ]);
  return definitions(pairs);
}

/** A relative bound above 1 says nothing (near a zero of the function) and is left to the JSON. */
function provenText({ absolute, relative }: Certificate): string {
  const bounds: string[] = [];
  if (Number.isFinite(absolute.upper)) bounds.push(`absolute error at most ${shortNumber(absolute.upper, 4)}`);
  if (relative.upper < 1) {
    bounds.push(
      `relative error at most ${shortNumber(relative.upper, 4)} (of max(|f|, ${shortNumber(relative.floor)}))`,
    );
  }
  return bounds.length === 0 ? "no finite bound" : bounds.join(", ");
}

const SHOWN: Readonly<Record<Certificate["shown"], string>> = {
  enumerated: "by trying every input",
  interval: "by interval arithmetic",
  composed: "from the certificates of its parts",
};

/** "16 lines, found by breakpoints; the input is brought into range by reflect" */
function storage({ index, reductions, coefficients }: Table): string {
  const pieces = coefficients.length > 1 ? "lines" : "constants";
  const reduced =
    reductions.length === 0 ? "" : `; input brought into range by ${reductions.map(({ by }) => by).join(", then ")}`;
  return `${coefficients[0]?.length ?? 0} ${pieces}, index rule ${index.rule}${reduced}`;
}

function coefficientTable(table: Table, certificate: Certificate): string {
  const count = Math.min(segmentCount(table), MAX_ROWS);
  const rows = Array.from({ length: count }, (_, i) => {
    const error = certificate.segments.find(({ segment }) => segment === i);
    const reach = (t: number | null | undefined): string =>
      t === null || t === undefined ? "" : shortNumber(decode(table.spec.input, t), 5);
    return [
      numeric(String(i)),
      numeric(reach(error?.from)),
      numeric(reach(error?.to)),
      numeric(exactNumber(table.coefficients[1]?.[i] ?? 0)),
      numeric(exactNumber(table.coefficients[0]?.[i] ?? 0)),
      numeric(error === undefined ? "" : shortNumber(error.minError)),
      numeric(error === undefined ? "" : shortNumber(error.maxError)),
    ];
  });
  const rest = segmentCount(table) - count;
  const note = rest > 0 ? element("p", { class: "note" }, `${grouped(rest)} more in the JSON file.`) : "";
  return htmlTable(["segment", "from", "to", "slope", "intercept", "least error", "largest error"], rows) + note;
}

/** Nine digits tell every binary32 apart; integers stay whole. */
function exactNumber(x: number): string {
  return Number.isInteger(x) ? String(x) : shortNumber(x, 9);
}
