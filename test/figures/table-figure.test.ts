// The figure of a table: golden files of small ones, and what must hold of every one.

import { describe, expect, test } from "vitest";
import { standalone, tableFigure } from "../../packages/figures/src/index.ts";
import { BENT, BENT_HISTOGRAM, certificateOf, INTEGER, RECIPROCAL } from "./samples.ts";

const GOLDEN = "../golden/figures";

const bent = {
  id: "bent",
  name: "abs",
  table: BENT,
  exact: Math.abs,
  certificate: certificateOf(BENT, 0.5, 0.25),
  histogram: BENT_HISTOGRAM,
};

describe("the figure of a table", () => {
  test("shows function, error and inputs over one axis", async () => {
    await expect(standalone(tableFigure(bent))).toMatchFileSnapshot(`${GOLDEN}/bent.svg`);
  });

  test("has a logarithmic axis where the table repeats in every octave", async () => {
    const figure = tableFigure({
      id: "reciprocal",
      name: "reciprocal",
      table: RECIPROCAL,
      exact: (x) => 1 / x,
      certificate: certificateOf(RECIPROCAL, 0.04, 1),
      error: "relative",
    });
    await expect(standalone(figure)).toMatchFileSnapshot(`${GOLDEN}/reciprocal.svg`);
    expect(figure).toContain("logarithmic");
  });

  test("visits the codes of an integer format", async () => {
    const figure = tableFigure({
      id: "relu",
      name: "relu",
      table: INTEGER,
      exact: (x) => Math.max(0, x),
      certificate: certificateOf(INTEGER, 0.25, 1),
    });
    await expect(standalone(figure)).toMatchFileSnapshot(`${GOLDEN}/relu-4-bits.svg`);
    const points = /class="table" d="([^"]*)"/.exec(figure)?.[1]?.match(/[ML]/g) ?? [];
    expect(points).toHaveLength(16);
  });

  test("describes itself to a screen reader", () => {
    const figure = tableFigure(bent);
    expect(figure).toContain('role="img" aria-labelledby="bent-title bent-desc"');
    expect(figure).toContain('<title id="bent-title">abs: function, table and error</title>');
    expect(figure).toMatch(/<desc id="bent-desc">[^<]*proven to be at most 0\.5/);
  });

  test("escapes the text of a function", () => {
    const figure = tableFigure({ ...bent, name: 'x<y & "z"' });
    expect(figure).toContain("x&lt;y &amp; &quot;z&quot;");
    expect(figure).not.toContain("x<y");
  });

  test("tells a bound that would flatten the curve instead of drawing it", () => {
    const far = tableFigure({ ...bent, certificate: certificateOf(BENT, 1e6, 1e9) });
    expect(far).not.toContain('class="bound"');
    expect(far).toContain("off the scale");
    expect(tableFigure(bent)).toContain('class="bound"');
  });

  test("has no part that is not a number, whatever the poles of the function", () => {
    const pole = tableFigure({ ...bent, exact: (x) => (x < 0 ? Number.NaN : 1 / x) });
    expect(pole).not.toMatch(/NaN|Infinity/);
  });

  test("loads nothing from elsewhere", () => {
    expect(tableFigure(bent)).not.toMatch(/href|url\((?!#)|<script|<image|@import/);
  });
});
