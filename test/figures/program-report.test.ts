// report.html of a model compiled into integers: whole, self-contained, and saying what the data says.

import { describe, expect, test } from "vitest";
import { type ProgramReportData, programReport } from "../../packages/figures/src/index.ts";

const LOGIT_ERROR = { max: 0.131, mean: 0.0012 };

const TRIAL = {
  ...{ samples: 64, metrics: { accuracy: 0.9 }, drop: 0.0151, dropMargin: 0.01 },
  ...{ flips: 0.02, flipsMargin: 0.01, logitError: LOGIT_ERROR },
};

function layer(name: string, roundedSignalToNoise: number, signalToNoise: number) {
  return {
    layer: name,
    tensor: "v1",
    operator: "product",
    bits: 8,
    signalToNoise,
    roundedSignalToNoise,
    clipped: 0.0123,
    errorAlone: 0.0456,
  };
}

const DATA: ProgramReportData = {
  model: "tiny <model> & co",
  dataset: "made up",
  samples: 345,
  before: { accuracy: 0.9327 },
  after: { accuracy: 0.9321 },
  flips: 0.0017,
  logitError: LOGIT_ERROR,
  bytes: 99_151,
  originalBytes: 371_538,
  steps: 69,
  floatSteps: 0,
  choices: [{ what: "ranges", chosen: "mse", why: "mean logit error <0.02" }],
  trials: [{ scheme: "ranges mse", trial: TRIAL }],
  sensitivity: null,
};

describe("the report of a program", () => {
  const html = programReport(DATA);

  test("is one document that needs no script and loads nothing", () => {
    expect(html.startsWith("<!doctype html>")).toBe(true);
    expect(html.endsWith("</html>\n")).toBe(true);
    expect(html).not.toMatch(/<script|<link|<img|src=|https?:(?!\/\/www\.w3\.org)|@import/);
  });

  test("escapes names and reasons", () => {
    expect(html).toContain("<h1>tiny &lt;model&gt; &amp; co</h1>");
    expect(html).toContain("mean logit error &lt;0.02");
  });

  test("shows sizes, accuracy before, after and the difference, flips and logit error", () => {
    for (const text of [
      "69 steps",
      "96.8 KiB",
      "26.69 %",
      "93.27 %",
      "93.21 %",
      "\u22120.06 points",
      "0.17 %",
      "0.131",
    ])
      expect(html).toContain(text);
  });

  test("says how much is in binary32", () => {
    expect(html).toContain("69 steps that compute in integers alone");
    expect(programReport({ ...DATA, floatSteps: 2 })).toContain("in integers, 2 of them with binary32 inside");
  });

  test("lists choices and trials", () => {
    expect(html).toContain("<td>ranges</td><td>mse</td>");
    expect(html).toContain("All 1 trial");
    expect(html).toContain("0.0151");
  });

  test("has no layers where they were not asked for, and no trials where there were none", () => {
    expect(programReport({ ...DATA, trials: [] })).not.toMatch(/Where the noise is|All \d+ trial/);
  });
});

describe("layers in the report of a program", () => {
  const layers = [layer("worst", 12.3, 10.1), layer("a name that is much too long for the margin it has here", 30, 28)];

  test("are drawn and listed with the noise of their codes and all that has arrived", () => {
    const html = programReport({ ...DATA, sensitivity: layers });
    const [figure = ""] = /<svg.*?<\/svg>/s.exec(html) ?? [];
    expect(figure).toContain("worst: 12.3 dB, arrived 10.1.");
    expect(figure.match(/class="bars"/g)).toHaveLength(2);
    expect(figure).toContain("\u2026is much too long for the margin it has here".slice(-30));
    expect(html).toContain("All 2 layers");
    expect(html).toContain("1.23 %");
    expect(html).toContain("0.0456");
  });

  test("are drawn up to a number, the rest is counted", () => {
    const many = Array.from({ length: 40 }, (_, i) => layer(`layer ${i}`, 10 + i, 9 + i));
    const html = programReport({ ...DATA, sensitivity: many });
    expect(html).toContain("8 better ones are not shown");
    expect(html).toContain("<td>layer 39</td>");
  });

  test("without noise, or with more noise than signal, stay inside the figure", () => {
    const html = programReport({ ...DATA, sensitivity: [layer("lost", -20, -Infinity), layer("exact", Infinity, 30)] });
    const [figure = ""] = /<svg.*?<\/svg>/s.exec(html) ?? [];
    expect(figure).not.toMatch(/NaN|Infinity/);
  });
});
