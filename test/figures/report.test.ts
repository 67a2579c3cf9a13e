// report.html: whole, self-contained, and saying what the data says.

import { describe, expect, test } from "vitest";
import { report } from "../../packages/figures/src/index.ts";
import { reportData } from "./samples.ts";

describe("the report", () => {
  const html = report(reportData());

  test("is one document that needs no script and loads nothing", () => {
    expect(html.startsWith("<!doctype html>")).toBe(true);
    expect(html.endsWith("</html>\n")).toBe(true);
    expect(html).not.toMatch(/<script|<link|<img|src=|https?:(?!\/\/www\.w3\.org)|@import/);
  });

  test("opens and closes every element", () => {
    const open: string[] = [];
    for (const [tag, slash, name, selfClosed] of html.matchAll(/<(\/?)([a-zA-Z0-9]+)[^>]*?(\/?)>/g)) {
      if (selfClosed === "/" || tag.startsWith("<!")) continue;
      if (slash === "") open.push(name as string);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test("escapes the model's name", () => {
    expect(html).toContain("<h1>tiny &lt;model&gt; &amp; co</h1>");
    expect(html).not.toContain("<model>");
  });

  test("shows accuracy before, after and the difference, flips and logit error", () => {
    for (const text of ["93.27 %", "93.21 %", "\u22120.06 points", "+0.0003", "0.17 %", "0.131"])
      expect(html).toContain(text);
  });

  test("has a figure per table, with ids of their own", () => {
    expect(html.match(/<svg /g)).toHaveLength(2);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("names the worst input, what was covered and the bound of the optimum", () => {
    expect(html).toContain("every binary32 in [-2, 2]");
    expect(html).toContain("x = 1, error 0.25");
    expect(html).toContain("no table of this size can have less than 0.24");
    expect(html).toContain("never above 1");
  });

  test("links every layer to its tables", () => {
    expect(html).toContain('<a href="#table-gelu-1">gelu-1</a>');
    expect(html).toContain('id="table-gelu-1"');
  });

  test("is the same text for the same data", () => {
    expect(report(reportData())).toBe(html);
  });
});

describe("examples in the report", () => {
  const example = { input: "3 < 4", before: "yes", after: "yes" };

  test("are left out where there are none", () => {
    expect(report(reportData())).not.toContain("<h2>Examples</h2>");
  });

  test("are shown with both answers, escaped", () => {
    const html = report({ ...reportData(), examples: [example] });
    expect(html).toContain("<td>3 &lt; 4</td><td>yes</td><td>yes</td><td></td>");
    expect(html).toContain("Both models give the same answer to every input.");
  });

  test("say which answer changed", () => {
    const html = report({ ...reportData(), examples: [example, { ...example, after: "no" }] });
    expect(html).toContain("<td>yes</td><td>no</td><td>changed</td>");
    expect(html).toContain("The answers to 1 of 2 inputs differ.");
  });
});
