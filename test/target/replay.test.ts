// The golden set of source code: what `npm run replay` compares.
import { expect, it } from "vitest";
import { compare, replay } from "../../scripts/replay.mjs";

it("is written again byte for byte", async () => {
  const { files, differences } = await replay();
  expect(differences).toEqual([]);
  expect(files).toBeGreaterThan(20);
});

it("names every file that differs, is new or is gone", () => {
  const kept = new Map(Object.entries({ "a.c": "1", "b.c": "2", "c.c": "3" }));
  const made = new Map(Object.entries({ "a.c": "1", "b.c": "2 ", "d.c": "4" }));
  expect(compare(made, kept)).toEqual(["b.c: differs", "c.c: is not written any more", "d.c: is new"]);
});
