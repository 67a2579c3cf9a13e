// What one call of run is asked to do: which arrays it reads and writes, over how many rows and columns. Everything a caller can get wrong
// about arrays is found here, before anything is written.

import { LutraError } from "../base/index.ts";
import type { Over } from "../kernel/index.ts";
import type { EmittedModule, Port } from "../target/wasm/index.ts";
import { type Codes, checkCodes, isSamePlace, newCodes, overlap } from "./codes.ts";

/** One array, or arrays by the names of a kernel's params or results. */
export type Inputs = Codes | Readonly<Record<string, Codes>>;
export type Outputs = Codes | Record<string, Codes>;

/** An array of a kernel, as errors name it. */
export interface Place extends Port {
  readonly label: string;
}

/** The arrays of a kernel, and how long its rows may be. */
export interface Signature {
  readonly params: readonly Place[];
  readonly results: readonly Place[];
  readonly isOverRows: boolean;
  /** Infinity if rows of every length are right. */
  readonly maxColumns: number;
}

/** Elementwise kernels have rows of one column: `rows` counts elements. */
export interface Extent {
  readonly rows: number;
  readonly columns: number;
}

export interface Call extends Extent {
  /** Of the params in order, then of the results. */
  readonly arrays: readonly Codes[];
}

export function signatureOf({ params, results, isOverRows, maxColumns }: EmittedModule): Signature {
  return {
    params: places("input", params),
    results: places("output", results),
    isOverRows,
    maxColumns: maxColumns ?? Infinity,
  };
}

function places(what: string, ports: readonly Port[]): readonly Place[] {
  return ports.map((port) => ({ ...port, label: ports.length === 1 ? `the ${what}` : `the ${what} "${port.name}"` }));
}

/** How many codes an array has. */
export function sizeOver(over: Over, { rows, columns }: Extent): number {
  return (over === "element" || over === "row" ? rows : 1) * (over === "element" || over === "column" ? columns : 1);
}

/** How many of its codes are between one row and the next: 0 for arrays that all rows share. */
export function strideOver(over: Over, columns: number): number {
  return over === "element" ? columns : over === "row" ? 1 : 0;
}

/**
 * @param output results that a record leaves out are made and put in
 * @param columns length of a row; may be left out where a param over columns says it
 * @throws LutraError "bad-argument" for arrays that are missing, unknown, of another type, detached, of a wrong length or overlapping
 */
export function checkedCall(signature: Signature, input: Inputs, output?: Outputs, columns?: number): Call {
  const { params, results } = signature;
  const arrays: Codes[] = [];
  for (const { name, lane, label } of params) {
    const codes = params.length === 1 && isArray(input) ? input : named(params, input, name);
    if (codes === undefined) throw new LutraError("bad-argument", `the input "${name}" is missing`);
    checkCodes(label, codes, lane);
    arrays.push(codes);
  }
  const extent = extentOf(signature, arrays, columns);
  if (results.length > 1 && (output === undefined || isArray(output))) throw severalResults(results);
  for (const { name, lane, over, label } of results) {
    const codes = output === undefined || isArray(output) ? output : named(results, output, name);
    const size = sizeOver(over, extent);
    if (codes !== undefined) checkCodes(label, codes, lane);
    if (codes !== undefined && codes.length < size) {
      throw new LutraError("bad-argument", `${label} has room for ${codes.length} answers of ${size}`);
    }
    arrays.push(codes ?? newCodes(lane, size));
  }
  checkOverlaps(signature, arrays);
  return { rows: extent.rows, columns: extent.columns, arrays };
}

/**
 * The extent that arrays are asked for: a count of values, or rows and columns.
 * @throws LutraError "bad-argument" for counts that are none, or a count where rows are needed
 */
export function checkedExtent({ isOverRows, maxColumns }: Signature, size: number | Extent): Extent {
  if (typeof size === "number" && isOverRows) {
    throw new LutraError("bad-argument", `this kernel works on rows, got a count of ${size} values`, {
      note: "say { rows, columns }",
    });
  }
  const { rows, columns } = typeof size === "number" ? { rows: size, columns: 1 } : size;
  for (const count of [rows, columns]) {
    if (!Number.isInteger(count) || count < 0) {
      throw new LutraError("bad-argument", `a number of values is 0 or more, got ${count}`);
    }
  }
  if (isOverRows) checkColumns(columns, maxColumns);
  return isOverRows ? { rows, columns } : { rows: rows * columns, columns: 1 };
}

/** What run gives back: the results in the caller's record, or the only one. */
export function written({ params, results }: Signature, { arrays }: Call, output?: Outputs): Outputs {
  if (output === undefined || isArray(output)) return arrays[params.length] as Codes;
  results.forEach(({ name }, i) => {
    output[name] = arrays[params.length + i] as Codes;
  });
  return output;
}

/** Anything but a record is taken for an array, and found wrong as one. */
function isArray(given: Inputs): given is Codes {
  return typeof given !== "object" || given === null || ArrayBuffer.isView(given) || Array.isArray(given);
}

/** The array of a name in a record; undefined if it has none. */
function named(places: readonly Place[], given: Inputs, name: string): Codes | undefined {
  if (isArray(given)) {
    throw new LutraError("bad-argument", `this kernel has ${places.length} inputs: ${namesOf(places)}`, {
      note: "give run a record of arrays by these names",
    });
  }
  for (const key in given) {
    if (places.some((place) => place.name === key)) continue;
    throw new LutraError("bad-argument", `this kernel has nothing named "${key}", but ${namesOf(places)}`);
  }
  return given[name];
}

function severalResults(results: readonly Port[]): LutraError {
  return new LutraError("bad-argument", `this kernel has ${results.length} outputs: ${namesOf(results)}`, {
    note: "give run a record for them: an empty one is filled with new arrays",
  });
}

function namesOf(ports: readonly Port[]): string {
  return ports.map(({ name }) => `"${name}"`).join(", ");
}

function extentOf(signature: Signature, inputs: readonly Codes[], asked: number | undefined): Extent {
  const { params, isOverRows, maxColumns } = signature;
  const columns = isOverRows ? (asked ?? lengthOver("column", params, inputs)) : 1;
  if (columns === undefined) {
    throw new LutraError("bad-argument", "the length of a row is missing", { note: "it is run's third argument" });
  }
  checkColumns(columns, maxColumns);
  const elements = lengthOver("element", params, inputs);
  const rows = elements === undefined ? (lengthOver("row", params, inputs) ?? 1) : Math.floor(elements / columns);
  const extent = { rows, columns };
  for (let i = 0; i < params.length; i++) {
    const { over, label } = params[i] as Place;
    const { length } = inputs[i] as Codes;
    const size = sizeOver(over, extent);
    if (length === size) continue;
    const tile = isOverRows ? `${rows} rows of ${columns} columns have` : `${rows} elements have`;
    throw new LutraError("bad-argument", `${label} has ${length} values, ${tile} ${size}`);
  }
  return extent;
}

/** Length of the first array over something; undefined if there is none. */
function lengthOver(over: Over, params: readonly Place[], inputs: readonly Codes[]): number | undefined {
  for (let i = 0; i < params.length; i++) if (params[i]?.over === over) return inputs[i]?.length;
  return undefined;
}

function checkColumns(columns: number, most: number): void {
  if (Number.isInteger(columns) && columns >= 1 && columns <= most) return;
  const range = most === Infinity ? "1 or more" : `1 to ${most}`;
  throw new LutraError("bad-argument", `this kernel's rows have ${range} columns, got ${columns}`);
}

/** A result may take the place of a param of the same shape, and overlap nothing else: it is written while others are read. */
function checkOverlaps({ params, results }: Signature, arrays: readonly Codes[]): void {
  for (let i = 0; i < results.length; i++) {
    const { over, label } = results[i] as Place;
    const output = arrays[params.length + i] as Codes;
    for (let j = 0; j < params.length + i; j++) {
      const other = arrays[j] as Codes;
      if (!overlap(other, output)) continue;
      if (over === "element" && params[j]?.over === "element" && isSamePlace(other, output)) continue;
      const otherLabel = (params[j] ?? results[j - params.length])?.label;
      throw new LutraError("bad-argument", `${otherLabel} and ${label} overlap`, {
        note: "an output may be an input of values per element, or has no bytes of any other array",
      });
    }
  }
}
