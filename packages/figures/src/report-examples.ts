// Inputs that a reader can judge, with the answer of the model before and after: beside the numbers, not instead of them.

import { htmlTable, paragraph, section, text } from "./html.ts";
import type { ReportExample } from "./report-data.ts";

/** At least one example. Where the answers differ, the row says so. */
export function examplesSection(examples: readonly ReportExample[]): string {
  const changed = examples.filter(({ before, after }) => before !== after).length;
  const note =
    changed === 0
      ? "Both models give the same answer to every input."
      : `The answers to ${changed} of ${examples.length} inputs differ.`;
  const rows = examples.map(({ input, before, after }) => [
    text(input),
    text(before),
    text(after),
    text(before === after ? "" : "changed"),
  ]);
  return section("Examples", paragraph("note", note), htmlTable(["input", "original", "with tables", ""], rows));
}
