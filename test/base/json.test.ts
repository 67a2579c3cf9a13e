import { describe, expect, test } from "vitest";
import { fromJson, hash, toJson } from "../../packages/lutra/src/base/index.ts";

describe("hash", () => {
  test("is 64-bit FNV-1a, by the vectors of its authors", () => {
    expect(hash("")).toBe("cbf29ce484222325");
    expect(hash("a")).toBe("af63dc4c8601ec8c");
    expect(hash("foobar")).toBe("85944171f73967e8");
  });

  test("does not depend on the order of members, and tells 0 from -0", () => {
    expect(hash({ a: 1, b: [2, 3] })).toBe(hash({ b: [2, 3], a: 1 }));
    expect(hash([0])).not.toBe(hash([-0]));
  });
});

test("infinities and -0 survive JSON; undefined members do not, NaN is refused", () => {
  const value = { lo: -Infinity, hi: Infinity, zero: -0, gone: undefined };
  expect(fromJson(toJson(value))).toEqual({ lo: -Infinity, hi: Infinity, zero: -0 });
  expect(toJson(Float32Array.of(0.5, 1))).toBe("[0.5,1]");
  expect(() => toJson({ x: Number.NaN })).toThrow(TypeError);
});
