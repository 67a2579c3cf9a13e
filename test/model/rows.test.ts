import { describe, expect, it } from "vitest";
import { sampleRows } from "../../packages/lutra/src/model/rows.ts";
import { failure } from "../data/errors.ts";
import { tensor } from "./fixture.ts";

describe("sampleRows", () => {
  const cube = tensor([2, 3, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const take = (axes: readonly number[] | null, max = 100): unknown => {
    const { rows, columns, data } = sampleRows(cube, axes, max, "site");
    return { rows, columns, data: [...(data as Float32Array)] };
  };

  it("lays rows along the axes of the layer", () => {
    expect(take([-1])).toEqual({ rows: 6, columns: 2, data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] });
    expect(take([-2, -1])).toEqual({ rows: 2, columns: 6, data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] });
    expect(take([-2])).toEqual({ rows: 4, columns: 3, data: [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11] });
    expect(take([-3])).toEqual({ rows: 6, columns: 2, data: [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11] });
    expect(take(null)).toEqual(take([-1]));
  });

  it("takes evenly spaced whole rows beyond the limit, at least one", () => {
    expect(take([-1], 6)).toEqual({ rows: 3, columns: 2, data: [2, 3, 6, 7, 10, 11] });
    expect(take([-1], 0)).toEqual({ rows: 1, columns: 2, data: [6, 7] });
    expect(take([-2], 3)).toEqual({ rows: 1, columns: 3, data: [6, 8, 10] });
  });

  it("refuses axes that are no neighbours or not there", async () => {
    for (const axes of [[-3, -1], [-4]]) {
      expect((await failure(() => sampleRows(cube, axes, 9, "layer s"))).where).toBe("layer s");
    }
  });
});
