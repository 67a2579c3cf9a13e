// The front of accuracy against bytes: what is drawn, and what the report says about it.

import { describe, expect, test } from "vitest";
import { report } from "../../packages/figures/src/index.ts";
import { allocationData, reportData } from "./samples.ts";

describe("the report of a compilation with a budget", () => {
  const html = report({ ...reportData(), allocation: allocationData() });
  const [figure] = /<svg[^>]*aria-labelledby="front-title.*?<\/svg>/s.exec(html) ?? [""];

  test("says what was asked for, what was saved and why it is not more", () => {
    expect(html).toContain("The tables take 96 bytes, 50.00 % of the 192 bytes that 16 segments everywhere would.");
    expect(html).toContain("Asked for: at most 0.5 points of accuracy lost.");
    expect(html).toContain(
      "5 plans tried on 100 samples &lt;of the selection split&gt;. Why not smaller: 48 bytes lose more.",
    );
  });

  test("draws every plan tried, filled where it is inside, and rings the chosen one", () => {
    expect(figure.match(/class="plan inside"/g)).toHaveLength(3);
    expect(figure.match(/class="plan"/g)).toHaveLength(2);
    expect(figure.match(/class="chosen"/g)).toHaveLength(1);
    expect(figure).toContain("16 everywhere");
  });

  test("keeps a plan that ruins the model from flattening the rest", () => {
    expect(figure).toContain("1 off the scale, at the upper edge");
  });

  test("lists the plans that no smaller one beats", () => {
    const rows = [...html.matchAll(/gelu-1 (\d+)<\/td>/g)].map(([, segments]) => segments);
    expect(rows).toEqual(["2", "4", "8", "16"]);
  });

  test("shows changed answers where only they are limited", () => {
    const flips = report({ ...reportData(), allocation: { ...allocationData(), budget: { maxFlips: 0.01 } } });
    expect(flips).toContain("Asked for: at most 1 % of the answers changed.");
    expect(flips).toContain("answers changed, %");
  });

  test("has no such part without a budget", () => {
    for (const data of [reportData(), { ...reportData(), allocation: null }]) {
      expect(report(data)).not.toContain("What the budget bought");
    }
  });
});
