// report.html of a model compiled into integers: what that changed, what was chosen and why, and how much noise each layer has.

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
import { layersFigure } from "./layers-figure.ts";
import { bytes, grouped, percent, plural } from "./numbers.ts";
import type { ProgramReportData } from "./program-report-data.ts";
import { accuracyNote, accuracyTable, CHANGE_GLOSSARY, changeCards } from "./report-accuracy.ts";
import { shortNumber } from "./scale.ts";
import { element } from "./svg.ts";

/** A whole HTML document. */
export function programReport(data: ProgramReportData): string {
  return htmlPage(
    `${data.model}: compiled by Lutra`,
    reportHeader(data.model, leadText(data), changeCards(data)),
    section("What changed", accuracyTable(data, "in integers"), accuracyNote(data)),
    section("What was chosen", choiceTable(data), ...trialList(data)),
    ...layerSection(data),
    section("How to read this", definitions(GLOSSARY)),
    element(
      "footer",
      {},
      "<code>lutra inspect</code> lists the program\u2019s steps, <code>lutra evaluate</code> measures it again.",
    ),
  );
}

function leadText({ steps, floatSteps, bytes: size, originalBytes, samples }: ProgramReportData): string {
  const alone = floatSteps === 0 ? " alone" : `, ${grouped(floatSteps)} of them with binary32 inside`;
  return (
    `This model is now ${plural(steps, "step")} that compute in integers${alone}: ${bytes(size)}, ` +
    `${percent(size / originalBytes)} of the ${bytes(originalBytes)} in floats. What that changes was measured on ${plural(samples, "sample")}.`
  );
}

function choiceTable({ choices }: ProgramReportData): string {
  const rows = choices.map(({ what, chosen, why }) => [text(what), text(chosen), text(why)]);
  return htmlTable(["choice", "chosen", "because"], rows);
}

function trialList({ trials }: ProgramReportData): readonly string[] {
  if (trials.length === 0) return [];
  const rows = trials.map(({ scheme, trial }) => [
    text(scheme),
    numeric(shortNumber(trial.drop)),
    numeric(percent(trial.flips)),
    numeric(shortNumber(trial.logitError.mean)),
    numeric(grouped(trial.samples)),
  ]);
  const table = htmlTable(["scheme", "drop", "answers changed", "mean logit error", "samples"], rows);
  return [collapsible(`All ${plural(trials.length, "trial")}`, table)];
}

function layerSection({ sensitivity }: ProgramReportData): readonly string[] {
  if (sensitivity === null || sensitivity.length === 0) return [];
  const rows = sensitivity.map(
    ({ layer, tensor, operator, bits, signalToNoise, roundedSignalToNoise, clipped, errorAlone }) => [
      text(layer),
      text(operator),
      text(tensor),
      numeric(String(bits)),
      numeric(shortNumber(roundedSignalToNoise)),
      numeric(shortNumber(signalToNoise)),
      numeric(percent(clipped)),
      numeric(errorAlone === null ? "" : shortNumber(errorAlone)),
    ],
  );
  const titles = [
    "layer",
    "operator",
    "tensor",
    "bits",
    "its own codes alone, dB",
    "all that has arrived, dB",
    "at the ends of the codes",
    "mean logit error of it alone",
  ];
  const table = htmlTable(titles, rows);
  return [
    section(
      "Where the noise is",
      paragraph("note", LAYERS_NOTE),
      layersFigure({ id: "layers", layers: sensitivity }),
      collapsible(`All ${plural(sensitivity.length, "layer")}`, table),
    ),
  ];
}

const LAYERS_NOTE =
  "On a few calibration samples, each number the program holds beside the float model\u2019s. A bar is the float model\u2019s own numbers " +
  "rounded to the codes of that layer: a short one would gain from more bits. A ring is what the program really holds: all noise that has arrived.";

const GLOSSARY: readonly (readonly [name: string, value: string])[] = [
  [
    "ranges",
    "where 8-bit codes end: at the least and largest number seen (min-max), or nearer, so that rounding errs less (mse, percentile)",
  ],
  [
    "scale migration",
    "outliers of an activation are divided out of it, and the weights that read it multiplied with them",
  ],
  ["queries and keys", "the factors of attention scores, which are the first to need more than 8 bits"],
  [
    "drop",
    "how much worse the first metric was in a trial than the original\u2019s: a share of answers, or of NLL or perplexity",
  ],
  ...CHANGE_GLOSSARY,
  [
    "signal to noise",
    "how much larger a layer\u2019s numbers are than what integers changed of them; 20 dB is a factor of 10, and higher is better",
  ],
];
