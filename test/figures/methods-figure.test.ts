// Methods beside each other: what is drawn, what is left out, and that names never overlap.

import { describe, expect, test } from "vitest";
import { type MethodSeries, methodsFigure } from "../../packages/figures/src/index.ts";

const series = (name: string, points: MethodSeries["points"], isYardstick = false): MethodSeries => {
  return { name, points, isYardstick };
};

const OPTIONS = { id: "m", title: "gelu", xName: "segments", yName: "mean square error", front: false };

describe("methods beside each other", () => {
  const drawn = methodsFigure({
    ...OPTIONS,
    series: [
      series(
        "optimal",
        [
          [16, 8e-7],
          [8, 1.2e-5],
        ],
        true,
      ),
      series("a <b>", [[8, 7e-5]]),
      series("none", [[8, 0]]),
    ],
  });

  test("each is named once, and a single point needs no line", () => {
    expect(drawn.match(/>optimal<\/text>/g)).toHaveLength(1);
    expect(drawn).toContain(">a &lt;b&gt;</text>");
    expect(drawn.match(/<path class="series/g)).toHaveLength(1);
    expect(drawn.match(/<circle class="series/g)).toHaveLength(3);
  });

  test("what cannot be placed on a logarithmic axis is left out, name and all", () => {
    expect(drawn).not.toContain(">none<");
  });

  test("the yardstick is told apart", () => {
    expect(drawn).toContain('class="series series-0 yardstick"');
  });

  test("names keep their distance, inside the figure, however many methods end at one point", () => {
    const crowd = Array.from({ length: 20 }, (_, i) => series(`m${i}`, [[8, 1e-6]]));
    const figure = methodsFigure({ ...OPTIONS, series: [...crowd, series("far", [[8, 1e-2]])] });
    const heights = [...figure.matchAll(/class="series-name[^"]*" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(21);
    const sorted = heights.toSorted((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++)
      expect((sorted[i] ?? 0) - (sorted[i - 1] ?? 0)).toBeGreaterThanOrEqual(12.9);
    expect(sorted.at(-1)).toBeLessThan(360);
  });

  test("a front joins only what nothing beats", () => {
    const figure = methodsFigure({
      ...OPTIONS,
      front: true,
      series: [
        series("a", [
          [10, 1e-3],
          [20, 1e-5],
        ]),
        series("b", [
          [15, 1e-2],
          [30, 1e-6],
        ]),
      ],
    });
    const [, path] = /class="bound" d="([^"]*)"/.exec(figure) ?? [];
    expect(path?.match(/[ML]/g)).toHaveLength(3);
    expect(figure).not.toContain('<path class="series');
  });

  test("an empty comparison is an empty figure, not an error", () => {
    expect(methodsFigure({ ...OPTIONS, series: [] })).toContain("<svg");
  });
});
