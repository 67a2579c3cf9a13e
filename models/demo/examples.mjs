// A dozen dates as people write them, none of which training has seen, and how the model reads them before and after its tables:
// `node models/demo/examples.mjs [folder]` prints both and adds them to the report that `lutra compile` left in the folder.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromJson } from "lutra";
import { report } from "lutra-figures";
import * as ort from "onnxruntime-node";
import { openReader } from "../train/dist/reader.js";

/** With the date that each means. 03/10/89 is in March: slashes put the month first unless that number is above 12. */
export const EXAMPLES = [
  ["6th of March 1969", "1969-03-06"],
  ["03/10/89", "1989-03-10"],
  ["25/6/2021", "2021-06-25"],
  ["1.3.21", "2021-03-01"],
  ["Mar 7, '89", "1989-03-07"],
  ["Tuesday, January 26, 2021", "2021-01-26"],
  ["den 7. März 1969", "1969-03-07"],
  ["le 1er juin 1969", "1969-06-01"],
  ["28 de febrero de 1969", "1969-02-28"],
  ["mercoledì 26 marzo 1969", "1969-03-26"],
  ["2021年2月11日", "2021-02-11"],
  ["1969년 7월 20일", "1969-07-20"],
];

/** The answers of two model files to every example: `input`, `before`, `after`. */
async function readExamples(original, compiled) {
  const texts = EXAMPLES.map(([text]) => text);
  const before = await (await openReader(ort, original))(texts);
  const after = await (await openReader(ort, compiled))(texts);
  return texts.map((input, i) => ({ input, before: before[i], after: after[i] }));
}

/** The examples as lines of aligned columns; an answer that changed says so. */
export function examplesText(examples) {
  const rows = [
    ["input", "original", "with tables"],
    ...examples.map(({ input, before, after }) => [input, before, before === after ? after : `${after}  changed`]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => columns(row[column]))));
  return rows.map((row) =>
    row
      .map((cell, i) => cell + " ".repeat(Math.max(0, (widths[i] ?? 0) - columns(cell))))
      .join("  ")
      .trimEnd(),
  );
}

/** Columns that a text takes in a terminal: East Asian characters take two. */
function columns(text) {
  return [...text].reduce((sum, character) => sum + (character >= "\u1100" ? 2 : 1), 0);
}

/** Draws the report again from compile.json, with the examples in it. */
function addToReport(folder, examples) {
  const data = fromJson(readFileSync(join(folder, "compile.json"), "utf8"));
  writeFileSync(join(folder, "report.html"), report({ ...data, examples }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join("out", "demo");
  const examples = await readExamples(join(folder, "dates.onnx"), join(folder, "dates.lut.onnx"));
  console.log(`Dates that training has not seen:\n\n${examplesText(examples).join("\n")}`);
  addToReport(folder, examples);
}
