// The part of models/README.md that is generated: the model's accuracy by form on the test samples.
import type { FormAccuracy } from "./reader.ts";

const GENERATED = /(<!-- generated: accuracy -->\n)[\s\S]*?(<!-- end -->)/;

/** @throws Error if the text has no place for the table */
export function withAccuracy(readme: string, accuracy: readonly FormAccuracy[]): string {
  if (!GENERATED.test(readme)) throw new Error("the README has no place for the table of accuracy");
  return readme.replace(GENERATED, (_, begin: string, end: string) => `${begin}${accuracyTable(accuracy)}${end}`);
}

function accuracyTable(accuracy: readonly FormAccuracy[]): string {
  const total = (key: "count" | "right"): number => accuracy.reduce((sum, form) => sum + form[key], 0);
  const line = (form: string, example: string, right: number, count: number): string =>
    `| ${form} | ${example} | ${count} | ${count - right} | ${((100 * right) / count).toFixed(2)} % |\n`;
  return [
    "| form | an example | texts | wrong | exact |\n| :-- | :-- | --: | --: | --: |\n",
    ...accuracy.map(({ form, example, right, count }) => line(form, example, right, count)),
    line("all", "", total("right"), total("count")),
  ].join("");
}
