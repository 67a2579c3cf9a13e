// Which samples tables are chosen on, and that the report split is never one of them.

import { describe, expect, it } from "vitest";
import type { Session } from "../../packages/lutra/src/base/index.ts";
import { countSamples, type Dataset } from "../../packages/lutra/src/data/index.ts";
import { score, selectionOf, thinnedSelection } from "../../packages/lutra/src/model/index.ts";
import { npyFloats, npyInts } from "../data/bytes.ts";
import { load } from "../data/fixture.ts";
import { sessionOf } from "./fixture.ts";

const COUNT = 20;

/** Samples are their own logits, of two classes. */
const echo: Session = sessionOf(({ x }) => ({ logits: x }));

function dataset(splits: Readonly<Record<string, number>>, isAnswered = true): Promise<Dataset> {
  const rows = Array.from({ length: COUNT }, (_, i) => [i % 3, 1]);
  const labels = rows.map((_, i) => i % 2);
  const files = { "x.npy": npyFloats([COUNT, 2], rows.flat()), "y.npy": npyInts([COUNT], labels) };
  const target = isAnswered ? { target: { kind: "labels", file: "y.npy" } } : {};
  return load({ inputs: { x: { file: "x.npy", type: "float32" } }, ...target, splits }, files);
}

function overlap(a: Dataset, b: Dataset): readonly number[] {
  const report = new Set(b.parts.report.indices);
  return [...a.parts.selection.indices].filter((index) => report.has(index));
}

describe("selectionOf", () => {
  it("takes the selection split where there is one", async () => {
    const given = await dataset({ calibration: 6, selection: 5 });
    const { dataset: chosen, says } = await selectionOf(given, echo, {});
    expect(chosen.parts.selection).toEqual(given.parts.selection);
    expect(says).toBe("the 5 samples of the selection split");
  });

  it("takes the calibration samples where there is none, and says so", async () => {
    const given = await dataset({ calibration: 6 });
    const { dataset: chosen, says } = await selectionOf(given, echo, {});
    expect(chosen.parts.selection.indices).toEqual(given.parts.calibration.indices);
    expect(overlap(chosen, given)).toEqual([]);
    expect(says).toBe("the 6 samples of the calibration split (the dataset has no selection split)");
  });

  it("takes the original's own answers where there are none", async () => {
    const { dataset: chosen, says } = await selectionOf(await dataset({ calibration: 6 }, false), echo, {});
    const { metrics } = await score(echo, chosen, "selection");
    expect(metrics).toEqual({ accuracy: 1 });
    expect(says).toContain("which have no answers: the original model's own count");
  });

  it("refuses a dataset with neither", async () => {
    await expect(selectionOf(await dataset({}, false), echo, {})).rejects.toMatchObject({ code: "bad-data" });
  });
});

describe("thinnedSelection", () => {
  it("keeps evenly spaced samples of the selection", async () => {
    const given = await dataset({ selection: 10 });
    const thinned = thinnedSelection(given, 5);
    expect(countSamples(thinned, "selection")).toBe(5);
    expect([...thinned.parts.selection.indices]).toEqual(
      [...given.parts.selection.indices].filter((_, i) => i % 2 === 0),
    );
    expect(thinnedSelection(given, 10)).toBe(given);
  });

  it("keeps the first samples, without a gap, where each takes up the state of the one before", async () => {
    const files = {
      "x.npy": npyFloats(
        [COUNT, 1],
        Array.from({ length: COUNT }, (_, i) => i),
      ),
    };
    const inputs = {
      x: { file: "x.npy", type: "float32" },
      state: { carry: "next", shape: [1], type: "float32" },
    };
    const given = await load({ inputs, splits: { calibration: 4, selection: 10, shuffle: false } }, files);
    expect([...thinnedSelection(given, 5).parts.selection.indices]).toEqual([4, 5, 6, 7, 8]);
  });
});
