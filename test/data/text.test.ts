import { describe, expect, it } from "vitest";
import { columnsOf, memberOf, readCsv, readJsonl, readTsv } from "../../packages/lutra/src/data/index.ts";
import { text } from "./bytes.ts";
import { failure } from "./errors.ts";

describe("readCsv and readTsv", () => {
  it("read named columns as numbers", () => {
    const table = readCsv(text('a,"b, c",d\n1,2.5,x\n-3e2,.5,y\n\n'));
    expect(table.header).toEqual(["a", "b, c", "d"]);
    expect(columnsOf(table, ["a"], "t.csv")).toEqual({ shape: [2], data: Float64Array.of(1, -300) });
    expect(columnsOf(table, ["b, c", "a"], "t.csv")).toEqual({
      shape: [2, 2],
      data: Float64Array.of(2.5, 1, 0.5, -300),
    });
  });

  it("take quotes in a .tsv as characters, and Windows line ends", () => {
    const table = readTsv(text('sentence\tlabel\r\n"he said\t1\r\nnothing"\t0\r\n'));
    expect(table.rows[0][0]).toBe('"he said');
    expect([...columnsOf(table, ["label"], "t.tsv").data]).toEqual([1, 0]);
  });

  it("name file, row and column of what is wrong", async () => {
    const table = readCsv(text("a,b\n1,2\n3,x\n"));
    const bad = await failure(() => columnsOf(table, ["b"], "t.csv"));
    expect(bad.message).toBe('not a number: "x"');
    expect(bad.where).toBe('t.csv: row 3, column "b"');
    const missing = await failure(() => columnsOf(table, ["c"], "t.csv"));
    expect(missing.note).toBe("columns: a, b");
    expect((await failure(() => readCsv(text("a,b\n1\n"), "t.csv"))).where).toBe("t.csv: row 2");
    expect((await failure(() => readCsv(text("\n"), "t.csv"))).message).toMatch(/no header/);
    expect((await failure(() => readCsv(Uint8Array.of(0x61, 0xff), "t.csv"))).message).toMatch(/UTF-8/);
    for (const cell of ["", "nan", "0x10", "1_000", "Infinity"]) {
      const one = readCsv(text(`a,b\n1,${cell}\n`));
      expect((await failure(() => columnsOf(one, ["b"], "t.csv"))).message).toMatch(/not a number/);
    }
  });
});

describe("readJsonl", () => {
  it("reads a number or a list of numbers per line, ragged lists padded with 0", () => {
    const lines = readJsonl(text('{"ids": [1, 2, 3], "label": 0}\n\n{"ids": [4], "label": 1}\n'));
    expect(memberOf(lines, "label", "t.jsonl")).toEqual({ shape: [2], data: Float64Array.of(0, 1), lengths: null });
    expect(memberOf(lines, "ids", "t.jsonl")).toEqual({
      shape: [2, 3],
      data: Float64Array.of(1, 2, 3, 4, 0, 0),
      lengths: Int32Array.of(3, 1),
    });
  });

  it("names the line of what is wrong", async () => {
    expect((await failure(() => readJsonl(text('{"a": 1}\n{"a": '), "t.jsonl"))).where).toBe("t.jsonl: line 2");
    expect((await failure(() => readJsonl(text("[1]"), "t.jsonl"))).message).toMatch(/not a JSON object/);
    for (const second of ["{}", '{"a": "1"}', '{"a": [[1]]}', '{"a": null}', '{"a": [1]}']) {
      const lines = readJsonl(text(`{"a": 1}\n${second}`));
      expect((await failure(() => memberOf(lines, "a", "t.jsonl"))).where).toBe("t.jsonl: line 2");
    }
    expect((await failure(() => memberOf(readJsonl(text("{}")), "toString", "t.jsonl"))).message).toMatch(
      /"toString" must be/,
    );
  });
});
