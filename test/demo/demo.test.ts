// The demo: the committed model reads dates that training never saw, and its dataset is a user's.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { EXAMPLES, examplesText } from "../../models/demo/examples.mjs";
import { makeDemo } from "../../models/demo/make.mjs";
import { splitOf } from "../../models/train/src/dates.ts";
import { accuracyByForm, openReader, testSamples } from "../../models/train/src/reader.ts";
import { withAccuracy } from "../../models/train/src/readme.ts";
import { findSites, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { ROOT } from "../shared.ts";

const MODEL = join(ROOT, "models", "demo", "dates.onnx");
const folder = mkdtempSync(join(tmpdir(), "lutra-demo-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the date model", () => {
  it("reads at least 99 % of 10,000 unseen texts right in every digit", async () => {
    const samples = testSamples();
    expect(new Set(samples.map(({ text }) => text.toLowerCase())).size).toBe(10_000);
    expect(samples.every(({ text }) => splitOf(text) === "test")).toBe(true);
    const accuracy = await accuracyByForm(await openReader(ort, MODEL), samples);
    const right = accuracy.reduce((sum, form) => sum + form.right, 0);
    expect(right / samples.length).toBeGreaterThanOrEqual(0.99);
    // Another processor may round a doubtful digit the other way: the table in the README has these rows, give or take its numbers.
    const readme = readFileSync(join(ROOT, "models", "README.md"), "utf8");
    const withoutNumbers = (text: string): string => text.replace(/[\d.]+( %)? \|/g, "|");
    expect(withoutNumbers(withAccuracy(readme, accuracy))).toBe(withoutNumbers(readme));
  });

  it("has the layers that it is meant to show, GELU decomposed as exporters write it", () => {
    const kinds = findSites(readModel(readFileSync(MODEL))).map(({ kind, form }) => `${kind} ${form}`);
    const counts = Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((k) => k === kind).length]));
    expect(counts).toEqual({ "gelu decomposed": 2, "layer-norm operator": 5, "softmax operator": 2 });
  });

  it("is small", () => {
    expect(statSync(MODEL).size).toBeLessThan(2 * 2 ** 20);
  });
});

describe("the demo's examples", () => {
  it("are none that training saw, and the model reads them right", async () => {
    for (const [text] of EXAMPLES) expect(splitOf(text), text).not.toBe("train");
    const answers = await (await openReader(ort, MODEL))(EXAMPLES.map(([text]) => text));
    expect(answers).toEqual(EXAMPLES.map(([, iso]) => iso));
  });

  it("are printed side by side, aligned, and say what changed", () => {
    const lines = examplesText([
      { input: "2021年3月3日", before: "2021-03-03", after: "2021-03-03" },
      { input: "3.3.21", before: "2021-03-03", after: "2021-03-08" },
    ]);
    expect(lines).toEqual([
      "input         original    with tables",
      "2021年3月3日  2021-03-03  2021-03-03",
      "3.3.21        2021-03-03  2021-03-08  changed",
    ]);
  });
});

describe("the demo's dataset", () => {
  it("has files that agree in their number of samples, every digit, and the same bytes each time", () => {
    const count = makeDemo(folder);
    expect(readdirSync(folder).sort()).toEqual(["dataset.json", "dates.onnx", "digits.npy", "ids.npy"]);
    const digits = readFileSync(join(folder, "digits.npy"));
    expect(digits.subarray(10, 128).toString()).toContain(`'shape': (${count}, 8)`);
    expect(new Set(digits.subarray(-count * 8)).size).toBe(10);
    makeDemo(folder);
    expect(Buffer.compare(readFileSync(join(folder, "digits.npy")), digits)).toBe(0);
  });
});
