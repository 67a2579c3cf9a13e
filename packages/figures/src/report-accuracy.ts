// What compiling changed: the cards at the top of the report and the table of metrics.

import { type Cell, htmlTable, numeric, text } from "./html.ts";
import { fourDecimals, percent, signed } from "./numbers.ts";
import type { ReportData } from "./report-data.ts";
import { shortNumber } from "./scale.ts";
import { element, escapeMarkup } from "./svg.ts";

interface MetricKind {
  readonly title: string;
  print(value: number): string;
  /** Of a difference, without its sign. */
  printChange(magnitude: number): string;
}

const POINTS = (share: number): string => `${(share * 100).toFixed(2)} points`;

const METRICS: Readonly<Record<string, MetricKind>> = {
  accuracy: { title: "accuracy", print: percent, printChange: POINTS },
  "sequence-accuracy": { title: "samples right throughout", print: percent, printChange: POINTS },
  nll: { title: "negative log-likelihood", print: fourDecimals, printChange: fourDecimals },
  perplexity: { title: "perplexity", print: fourDecimals, printChange: fourDecimals },
};

function metricKind(name: string): MetricKind {
  return METRICS[name] ?? { title: name, print: (x) => shortNumber(x), printChange: (x) => shortNumber(x) };
}

/** The first metric, flips and logit error, large. */
export function changeCards({ before, after, flips, logitError }: ReportData): string {
  const cards: string[] = [];
  for (const name of ["sequence-accuracy", "accuracy", "perplexity"]) {
    const [was, is] = [before[name], after[name]];
    if (was === undefined || is === undefined) continue;
    const { title, print, printChange } = metricKind(name);
    cards.push(card(title, print(is), `${print(was)} before, ${signed(is - was, printChange)}`));
  }
  cards.push(card("predictions flipped", percent(flips), "of the samples change their answer"));
  cards.push(card("largest logit change", shortNumber(logitError.max), `${shortNumber(logitError.mean)} on average`));
  return element("div", { class: "cards" }, ...cards);
}

function card(title: string, value: string, note: string): string {
  return element(
    "div",
    { class: "card" },
    element("div", { class: "card-title" }, escapeMarkup(title)),
    element("div", { class: "card-value" }, escapeMarkup(value)),
    element("div", { class: "card-note" }, escapeMarkup(note)),
  );
}

export function accuracyTable({ before, after, flips, logitError }: ReportData): string {
  const rows: Cell[][] = [];
  for (const [name, was] of Object.entries(before)) {
    const is = after[name];
    if (is === undefined) continue;
    const { title, print, printChange } = metricKind(name);
    rows.push([text(title), numeric(print(was)), numeric(print(is)), numeric(signed(is - was, printChange))]);
  }
  const blank = numeric("");
  rows.push([text("predictions flipped"), blank, blank, numeric(percent(flips))]);
  rows.push([text("logit error, largest"), blank, blank, numeric(shortNumber(logitError.max))]);
  rows.push([text("logit error, mean"), blank, blank, numeric(shortNumber(logitError.mean))]);
  return htmlTable(["", "original", "with tables", "change"], rows);
}
