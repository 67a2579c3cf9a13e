// Numbers from text files: comma- and tab-separated values with a header line, and one JSON object per line. Every cell that is asked
// for must be a number; the place in an error is the row as a spreadsheet counts it (the header is row 1) and the column's name.

import Papa from "papaparse";
import { LutraError, type Tensor } from "../base/index.ts";

/** Longest text file: JavaScript strings end near 2^29 characters. */
const MAX_TEXT_BYTES: number = 2 ** 28;
const MAX_ROWS = 10_000_000;
const MAX_COLUMNS = 65_536;
/** Most numbers that ragged rows may be padded to. */
const MAX_PADDED_NUMBERS: number = 2 ** 28;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

export interface DelimitedText {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Rows of numbers that need not be equally long: padded with 0 to the longest; `lengths` is null if all are. */
export interface RaggedTensor extends Tensor {
  readonly lengths: Int32Array | null;
}

/** Comma-separated values, quoted as in RFC 4180. Without a header line the columns are called "1", "2", ... @throws LutraError "bad-data" */
export function readCsv(bytes: Uint8Array, name = "csv data", hasHeader = true): DelimitedText {
  return readDelimited(bytes, { delimiter: ",", fastMode: false }, name, hasHeader);
}

/** Tab-separated values; a quote is a character like any other. Columns are called as in `readCsv`. @throws LutraError "bad-data" */
export function readTsv(bytes: Uint8Array, name = "tsv data", hasHeader = true): DelimitedText {
  return readDelimited(bytes, { delimiter: "\t", fastMode: true }, name, hasHeader);
}

function readDelimited(
  bytes: Uint8Array,
  options: { delimiter: string; fastMode: boolean },
  name: string,
  hasHeader: boolean,
): DelimitedText {
  const text = decodeText(bytes, name);
  const { data, errors } = Papa.parse<string[]>(text, { ...options, preview: MAX_ROWS + 2 });
  if (errors.length > 0) {
    const { message, row } = errors[0];
    throw new LutraError("bad-data", message, { where: `${name}: row ${(row ?? 0) + 1}` });
  }
  while (data.length > 0 && data[data.length - 1].every((cell) => cell.trim() === "")) data.pop();
  if (data.length === 0) throw new LutraError("bad-data", "the file has no header line", { where: name });
  const header = hasHeader ? data[0] : data[0].map((_, i) => `${i + 1}`);
  const firstRow = hasHeader ? 1 : 0;
  const rows = data.slice(firstRow);
  checkCount(rows.length, name);
  if (header.length > MAX_COLUMNS) {
    throw new LutraError("bad-data", `the file has ${header.length} columns, the limit is ${MAX_COLUMNS}`, {
      where: name,
    });
  }
  const short = rows.findIndex((row) => row.length !== header.length);
  if (short >= 0) {
    const expected = `the ${hasHeader ? "header" : "first row"} has ${header.length}`;
    throw new LutraError("bad-data", `the row has ${rows[short].length} cells, ${expected}`, {
      where: `${name}: row ${short + 1 + firstRow}`,
    });
  }
  return { header: header.map((cell) => cell.trim()), rows };
}

/** The named columns as numbers: shape [rows] for one, [rows, columns] for several. @throws LutraError "bad-data" */
export function columnsOf({ header, rows }: DelimitedText, columns: readonly string[], name: string): Tensor {
  const positions = columns.map((column) => positionOf(header, column, name));
  const data = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    positions.forEach((position, j) => {
      const cell = row[position].trim();
      if (!NUMBER.test(cell)) {
        const where = `${name}: row ${i + 2}, column "${columns[j]}"`;
        throw new LutraError("bad-data", `not a number: "${cell.slice(0, 40)}"`, { where });
      }
      data[i * columns.length + j] = Number(cell);
    });
  });
  return { shape: columns.length === 1 ? [rows.length] : [rows.length, columns.length], data };
}

/** The named column as text. @throws LutraError "bad-data" */
export function textsOf({ header, rows }: DelimitedText, column: string, name: string): readonly string[] {
  const position = positionOf(header, column, name);
  return rows.map((row) => row[position]);
}

function positionOf(header: readonly string[], column: string, name: string): number {
  const position = header.indexOf(column);
  if (position >= 0) return position;
  throw new LutraError("bad-data", `there is no column "${column}"`, {
    where: name,
    note: `columns: ${header.slice(0, 20).join(", ")}`,
  });
}

/** One JSON object per line; empty lines are skipped. `line` counts from 1. @throws LutraError "bad-data" */
export function readJsonl(
  bytes: Uint8Array,
  name = "jsonl data",
): readonly { readonly line: number; readonly members: Readonly<Record<string, unknown>> }[] {
  const lines = decodeText(bytes, name).split("\n");
  checkCount(lines.length, name);
  return lines.flatMap((text, i) =>
    text.trim() === "" ? [] : [{ line: i + 1, members: parseLine(text, `${name}: line ${i + 1}`) }],
  );
}

/** One text of every line. @throws LutraError "bad-data" */
export function memberTextsOf(lines: ReturnType<typeof readJsonl>, key: string, name: string): readonly string[] {
  return lines.map(({ line, members }) => {
    const value = Object.hasOwn(members, key) ? members[key] : undefined;
    if (typeof value === "string") return value;
    throw new LutraError("bad-data", `"${key}" must be a text`, { where: `${name}: line ${line}` });
  });
}

function parseLine(text: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LutraError("bad-data", "the line is not JSON", { where, cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LutraError("bad-data", "the line is not a JSON object", { where });
  }
  return value as Readonly<Record<string, unknown>>;
}

/** One member of every line: a number each (shape [lines]) or a list of numbers each (shape [lines, longest]). @throws LutraError "bad-data" */
export function memberOf(lines: ReturnType<typeof readJsonl>, key: string, name: string): RaggedTensor {
  const values = lines.map(({ line, members }) => {
    const value = Object.hasOwn(members, key) ? members[key] : undefined;
    const numbers = Array.isArray(value) ? value : [value];
    if (numbers.every((number) => typeof number === "number")) return { line, isList: Array.isArray(value), numbers };
    throw new LutraError("bad-data", `"${key}" must be a number or a list of numbers`, {
      where: `${name}: line ${line}`,
    });
  });
  const mixed = values.find(({ isList }) => isList !== values[0].isList);
  if (mixed !== undefined) {
    throw new LutraError("bad-data", `"${key}" must be a number on every line, or a list on every line`, {
      where: `${name}: line ${mixed.line}`,
    });
  }
  const lists = values.map(({ numbers }) => numbers);
  if (values[0]?.isList !== true)
    return { shape: [lists.length], data: Float64Array.from(lists.flat()), lengths: null };
  return packLists(lists, name);
}

/** Lists of numbers side by side: [lists, longest]. @throws LutraError "bad-data" if that is too much */
export function packLists(lists: readonly (readonly number[])[], name: string): RaggedTensor {
  const width = lists.reduce((longest, { length }) => Math.max(longest, length), 0);
  if (width * lists.length > MAX_PADDED_NUMBERS) {
    const message = `${lists.length} lists of up to ${width} numbers exceed the limit of ${MAX_PADDED_NUMBERS}`;
    throw new LutraError("bad-data", message, { where: name });
  }
  const data = new Float64Array(lists.length * width);
  lists.forEach((numbers, i) => {
    data.set(numbers, i * width);
  });
  const isRagged = lists.some(({ length }) => length !== width);
  const lengths = isRagged ? Int32Array.from(lists, ({ length }) => length) : null;
  return { shape: [lists.length, width], data, lengths };
}

function checkCount(rows: number, name: string): void {
  if (rows > MAX_ROWS) throw new LutraError("bad-data", `the file has more than ${MAX_ROWS} rows`, { where: name });
}

/** UTF-8 with or without a byte order mark. */
export function decodeText(bytes: Uint8Array, name: string): string {
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new LutraError("bad-data", `a text file of ${bytes.length} bytes exceeds the limit of ${MAX_TEXT_BYTES}`, {
      where: name,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LutraError("bad-data", "the file is not UTF-8 text", { where: name, cause });
  }
}
