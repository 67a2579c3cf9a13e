// Small pieces of HTML that the report is put together from. Cells given as text are escaped; markup is passed as markup.

import { REPORT_STYLE } from "./report-style.ts";
import { element, escapeMarkup } from "./svg.ts";
import { FIGURE_STYLE } from "./theme.ts";

export interface Cell {
  readonly markup: string;
  readonly numeric?: boolean;
}

export function text(value: string): Cell {
  return { markup: escapeMarkup(value) };
}

export function numeric(value: string): Cell {
  return { markup: escapeMarkup(value), numeric: true };
}

/** A whole HTML document: one file, no scripts, nothing loaded from elsewhere. Content is markup. */
export function htmlPage(title: string, ...content: readonly string[]): string {
  const head = [
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("title", {}, escapeMarkup(title)),
    element("style", {}, REPORT_STYLE + FIGURE_STYLE),
  ];
  const body = element("main", {}, ...content);
  return `<!doctype html>\n<html lang="en"><head>${head.join("")}</head><body>${body}</body></html>\n`;
}

/** What a report begins with: the model's name, what was done to it in a sentence (markup), and cards. */
export function reportHeader(model: string, lead: string, cards: string): string {
  return element(
    "header",
    {},
    paragraph("kicker", "Lutra report"),
    element("h1", {}, escapeMarkup(model)),
    paragraph("lead", lead),
    cards,
  );
}

/** A table in a box that scrolls sideways on narrow screens. Columns are aligned like the cells of their first row. */
export function htmlTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const head = titles.map((title, i) =>
    element("th", { scope: "col", class: alignment(rows[0]?.[i]) }, escapeMarkup(title)),
  );
  const body = rows.map((row) =>
    element("tr", {}, ...row.map((cell) => element("td", { class: alignment(cell) }, cell.markup))),
  );
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  return element("div", { class: "scroll" }, table);
}

function alignment(cell: Cell | undefined): string | undefined {
  return cell?.numeric === true ? "number" : undefined;
}

export function section(title: string, ...content: readonly string[]): string {
  return element("section", {}, element("h2", {}, escapeMarkup(title)), ...content);
}

/** `lead` is markup. */
export function paragraph(style: string | undefined, lead: string): string {
  return element("p", { class: style }, lead);
}

export function collapsible(
  summary: string,
  content: string,
  options: { readonly open?: boolean; readonly style?: string } = {},
): string {
  const { open, style } = options;
  return element(
    "details",
    { class: style, open: open === true ? "" : undefined },
    element("summary", {}, summary),
    content,
  );
}

/** Names and values side by side; values are markup. */
export function definitions(pairs: readonly (readonly [name: string, value: string])[]): string {
  return element(
    "dl",
    {},
    ...pairs.map(([name, value]) => element("dt", {}, escapeMarkup(name)) + element("dd", {}, value)),
  );
}
