// What compiling changed: the cards at the top of the report and the table of metrics.

import { type Cell, htmlTable, numeric, paragraph, text } from "./html.ts";
import { fourDecimals, percent, plural, signed } from "./numbers.ts";
import type { ReportChange } from "./report-data.ts";
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
export function changeCards({ before, after, flips, logitError }: ReportChange): string {
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

/** @param compiled names the column of what was made: "with tables" */
export function accuracyTable({ before, after, flips, logitError }: ReportChange, compiled: string): string {
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
  return htmlTable(["", "original", compiled, "change"], rows);
}

export function accuracyNote({ dataset, samples }: ReportChange): string {
  return paragraph(
    "note",
    `Measured on ${plural(samples, "sample")} of ${escapeMarkup(dataset)}, on which nothing was calibrated or chosen.`,
  );
}

/** The words of the cards and of the table. */
export const CHANGE_GLOSSARY: readonly (readonly [name: string, value: string])[] = [
  [
    "flips",
    `share of samples whose predicted class differs from that of the original model; ${percent(0)} means that every answer is the same`,
  ],
  ["logit error", "how far the model\u2019s raw outputs moved, over all samples"],
  [
    "NLL, perplexity",
    "how much probability the model gives to the right answers: they move where accuracy hides a defect; lower is better",
  ],
];
