// The text of a loader: an ES module for Node and browsers that depends on nothing, short enough to read. It looks after the module's
// memory; what is particular to a kernel is the function that calls run, and its `buffers`.

import { indented } from "../source/index.ts";
import type { ArrayPort, Call } from "./ports.ts";

/** @param files the module's files, the preferred one first */
export function loaderText(call: Call, files: readonly string[]): string {
  const urls = files.map((file) => `new URL("./${file}", import.meta.url)`);
  const parts = [PART, load(call, urls.length === 1 ? `read(${urls[0]})` : "own()"), ...choice(urls), HELPERS];
  return `${parts.join("\n\n")}\n`;
}

const PART = "const PART = 16384; // numbers copied at a time: they stay in cache";

/** @param own what gives the bytes of the kernel's own file */
function load(call: Call, own: string): string {
  return `export async function load(source) {
  const loaded = await WebAssembly.instantiate(source ?? (await ${own}));
  const { memory, heap, run } = (loaded.instance ?? loaded).exports;
  let free = heap.value;
  const place = (bytes) => {
    const address = free;
    const end = address + Math.ceil(bytes / 64) * 64 + 2112; // at a distance of 4096 bytes, reads wait for writes
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    free = end;
    return address;
  };
  const part = (array, from, count, room) =>
    array.buffer === memory.buffer
      ? array.subarray(from, from + count)
      : new array.constructor(memory.buffer, room, count);
  const bring = (array, from, count, room) => {
    const here = part(array, from, count, room);
    if (here.buffer !== array.buffer) here.set(array.subarray(from, from + count));
    return here.byteOffset;
  };
${indented([...rooms(call), ...compute(call), ...buffers(call)])}
  return kernel;
}`;
}

function bytesOf({ type }: ArrayPort, count: string): string {
  const size = /(\d+)Array/.exec(type)?.[1];
  return size === "8" ? count : `${Number(size) / 8} * ${count}`;
}

/** Where a part of each array lies while it is worked on. Rows need as much as the longest so far. */
function rooms({ params, result, isOverRows, scratchBytesPerColumn }: Call): readonly string[] {
  const places = (count: string): readonly string[] =>
    [...params, result].map((port) => `${port.name}: place(${bytesOf(port, count)})`);
  if (!isOverRows) return listed("const rooms = { ", places("PART"), " };");
  const scratch = scratchBytesPerColumn === 0 ? [] : [`scratch: place(${scratchBytesPerColumn} * widest)`];
  return [
    "let rooms = { scratch: free };",
    "let widest = 0;",
    "const reserve = (columns) => {",
    "  if (columns <= widest) return;",
    "  widest = Math.max(PART, Math.ceil(columns / 16) * 16);",
    ...indentedLines(listed("rooms = { ", ["...rooms", ...places("widest"), ...scratch], " };")),
    "};",
  ];
}

/** Where an array's part begins and how many numbers it has: from element i on, or from row i on. */
function partOf({ over }: ArrayPort, isOverRows: boolean): readonly [from: string, count: string] {
  if (over === "column") return ["0", "columns"];
  return over === "element" && isOverRows ? ["i * columns", "n * columns"] : ["i", "n"];
}

function compute(call: Call): readonly string[] {
  const { params, result, isOverRows } = call;
  const given = params.map((port) => {
    if (port.over === "one") return `bring(${port.type}.of(${port.name}), 0, 1, rooms.${port.name})`;
    return `bring(${port.name}, ${partOf(port, isOverRows).join(", ")}, rooms.${port.name})`;
  });
  const [from, count] = partOf(result, isOverRows);
  const addresses = [...given, "out.byteOffset", ...(isOverRows ? ["rooms.scratch", "n", "columns"] : ["n"])];
  const names = [...params.map(({ name }) => name), ...(isOverRows ? ["columns"] : []), "y"];
  const step = isOverRows ? "step" : "PART";
  const lines = [
    ...checks(call),
    `for (let i = 0; i < count; i += ${step}) {`,
    `  const n = Math.min(${step}, count - i);`,
    `  const out = part(y, ${from}, ${count}, rooms.y);`,
    ...indentedLines(listed("run(", addresses, ");")),
    `  if (out.buffer !== y.buffer) y.set(out, ${from});`,
    "}",
    "return y;",
  ];
  return [`const kernel = (${names.join(", ")}) => {`, ...indentedLines(lines), "};"];
}

/** Items between two texts, one to a line where a line does not hold them all. */
function listed(begin: string, items: readonly string[], end: string): readonly string[] {
  const line = `${begin}${items.join(", ")}${end}`;
  if (line.length <= WIDTH) return [line];
  return [begin.trimEnd(), ...items.map((item) => `  ${item},`), end.trimStart()];
}

/** Widest line. */
const WIDTH = 100;

function indentedLines(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function checks({ params, longest, result, isOverRows, maxColumns }: Call): readonly string[] {
  const sizes = { element: `${longest.name}.length`, row: "count", column: "columns", one: "1" } as const;
  const check = ({ name, type, over }: ArrayPort): string => `check("${name}", ${name}, ${type}, ${sizes[over]});`;
  const others = params.filter((port) => port !== longest && port.over !== "one");
  return [
    `check("${longest.name}", ${longest.name}, ${longest.type}, 0);`,
    ...(isOverRows ? rowSizes(longest, maxColumns) : [`const count = ${longest.name}.length;`]),
    ...others.map(check),
    `y ??= new ${result.type}(${sizes.element});`,
    check(result),
  ];
}

function rowSizes({ name }: ArrayPort, maxColumns: number | null): readonly string[] {
  const most = maxColumns === null ? "" : ` && columns <= ${maxColumns}`;
  const limit = maxColumns === null ? "" : ` of at most ${maxColumns}`;
  return [
    `const count = ${name}.length / columns;`,
    `if (!(Number.isInteger(columns) && columns > 0${most} && Number.isInteger(count)))`,
    `  throw new RangeError(\`${name} has \${${name}.length} numbers, which are no rows of \${columns}${limit}\`);`,
    "reserve(columns);",
    "const step = Math.max(1, Math.floor(PART / columns));",
  ];
}

function buffers({ params, result, isOverRows }: Call): readonly string[] {
  const arrays = [...params.filter(({ over }) => over !== "one"), result];
  const counts = isOverRows ? ["rows", "columns"] : ["n"];
  const sizes = isOverRows
    ? { element: "rows * columns", row: "rows", column: "columns", one: "1" }
    : { element: "n", row: "n", column: "n", one: "1" };
  const places = arrays.map((port) => `place(${bytesOf(port, sizes[port.over])})`);
  const views = arrays.map(
    ({ name, type, over }, i) => `${name}: new ${type}(memory.buffer, at[${i}], ${sizes[over]})`,
  );
  return [
    `kernel.buffers = (${counts.join(", ")}) => {`,
    ...counts.map((count) => `  checkCount("${count}", ${count});`),
    ...(isOverRows ? ["  reserve(columns);"] : []),
    `  const at = [${places.join(", ")}];`,
    ...indentedLines(listed("return { ", views, " };")),
    "};",
  ];
}

/** The first of several files that the engine runs. */
function choice(urls: readonly string[]): readonly string[] {
  if (urls.length === 1) return [];
  const text = `async function own() {
  for (const url of [${urls.join(", ")}]) {
    const bytes = await read(url);
    if (WebAssembly.validate(bytes)) return bytes;
  }
  throw new Error("this engine runs none of the kernel's files");
}`;
  return [text];
}

const HELPERS = `async function read(url) {
  const files = globalThis.process?.getBuiltinModule?.("fs/promises"); // fetch in Node reads no files
  if (files && url.protocol === "file:") return files.readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${url}: \${response.status}\`);
  return response.arrayBuffer();
}

function check(name, array, Type, length) {
  if (!(array instanceof Type)) throw new TypeError(\`\${name} is no \${Type.name}\`);
  array.subarray(0, 0); // throws if its memory is detached
  if (array.length < length) throw new RangeError(\`\${name} has \${array.length} numbers, \${length} are needed\`);
}

function checkCount(name, count) {
  if (!(Number.isInteger(count) && count >= 0)) throw new RangeError(\`\${name} is no count: \${count}\`);
}`;
