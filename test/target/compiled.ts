// Kernels as C, TypeScript and WebAssembly, compiled and run: one program per compiler for all kernels, numbers in and out as bytes.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Kernel,
  type KernelInputs,
  LANE_ARRAYS,
  type Lane,
  laneBits,
  type Value,
} from "../../packages/lutra/src/kernel/index.ts";
import { emit as emitC } from "../../packages/lutra/src/target/c/index.ts";
import { emit as emitWasm } from "../../packages/lutra/src/target/loader/index.ts";
import { emit as emitTypeScript } from "../../packages/lutra/src/target/typescript/index.ts";
import type { Form } from "../../packages/lutra/src/target/wasm/index.ts";

export const ARRAYS = { ...LANE_ARRAYS, i64: Float64Array } as const;

export type Numbers = InstanceType<(typeof ARRAYS)[Lane]>;

const TYPES: Readonly<Record<Lane, string>> = {
  f32: "float",
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
};

/** Largest output of a run. */
const MAX_BYTES = 2 ** 28;

export type Kernels = Readonly<Record<string, Kernel>>;

/** Runs a kernel of the record by its name. */
export type Run = (name: string, inputs: KernelInputs, rows: number, columns: number) => Numbers;

/** The same, into an output of its own or a given one. */
export type RunInto = (...args: [...Parameters<Run>, output?: Numbers]) => Numbers;

type Param = Extract<Value, { op: "param" }>;

export function paramsOf({ values }: Kernel): readonly Param[] {
  return values.filter((value): value is Param => value.op === "param");
}

function isOverRows({ values }: Kernel): boolean {
  return values.some(({ op, over }) => op === "reduce" || over === "row" || over === "column");
}

function resultLane({ values, results }: Kernel): Lane {
  return (values[results[0] as number] as Value).lane;
}

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lutra-target-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the C files of all kernels and a main program. The paths of the kernels' own .c files, by kernel. */
export function writeC(folder: string, kernels: Kernels): Readonly<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const [name, kernel] of Object.entries(kernels)) {
    for (const file of emitC(kernel, { name })) writeFileSync(join(folder, file.name), file.text);
    sources[name] = join(folder, `${name}.c`);
  }
  writeFileSync(join(folder, "main.c"), mainProgram(kernels));
  return sources;
}

/** Compiles what writeC wrote: in one go, which is faster, since no two kernels share a name. */
export function compileC(folder: string, compiler: string, flags: readonly string[], kernels: Kernels): Run {
  const all = join(folder, "all.c");
  const names = [...Object.keys(kernels), "main"];
  writeFileSync(all, names.map((name) => `#include "${name}.c"\n`).join(""));
  const program = join(folder, `${compiler}-${flags.join("").replace(/\W/g, "")}`);
  execFileSync(compiler, [...flags, "-o", program, all], { stdio: ["ignore", "inherit", "inherit"] });
  return (name, inputs, rows, columns) => {
    const kernel = kernels[name] as Kernel;
    const input = Buffer.concat(
      paramsOf(kernel).map((param) => {
        const data = ARRAYS[param.lane].from(inputs[param.name] as ArrayLike<number>);
        return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      }),
    );
    const output = execFileSync(program, [name, String(rows), String(columns)], { input, maxBuffer: MAX_BYTES });
    const lane = resultLane(kernel);
    const { buffer } = Uint8Array.from(output);
    const length = (8 * buffer.byteLength) / laneBits(lane);
    return lane === "i64" ? new Float64Array(buffer) : new LANE_ARRAYS[lane](buffer, 0, length);
  };
}

function mainProgram(kernels: Kernels): string {
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
${Object.keys(kernels)
  .map((name) => `#include "${name}.h"`)
  .join("\n")}

static void *taken(size_t bytes) {
  void *data = malloc(bytes + 1);
  if (data == NULL || fread(data, 1, bytes, stdin) != bytes) exit(2);
  return data;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const size_t rows = strtoul(argv[2], NULL, 10), columns = strtoul(argv[3], NULL, 10);
${Object.entries(kernels)
  .map(([name, kernel]) => branch(name, kernel))
  .join("\n")}
  return 3;
}
`;
}

const SIZES = { one: "1", row: "rows", column: "columns", element: "rows * columns" } as const;

function branch(name: string, kernel: Kernel): string {
  const result = TYPES[resultLane(kernel)];
  const params = paramsOf(kernel);
  const reads = params.map(
    ({ lane, over }, i) => `    ${TYPES[lane]} *a${i} = taken(${SIZES[over]} * sizeof(${TYPES[lane]}));`,
  );
  const given = params.map(({ over }, i) => (over === "one" ? `*a${i}` : `a${i}`)).join(", ");
  const [called, sizes] = isOverRows(kernel) ? ["rows", "rows, columns"] : ["array", "rows * columns"];
  return `  if (strcmp(argv[1], "${name}") == 0) {
${reads.join("\n")}
    ${result} *y = malloc(rows * columns * sizeof(${result}) + 1);
    ${name}_${called}(${given}, y, ${sizes});
    return fwrite(y, sizeof(${result}), rows * columns, stdout) == rows * columns ? 0 : 4;
  }`;
}

/** Writes all kernels as TypeScript below a folder of the project and imports them as they are. */
export async function importTypeScript(folder: string, kernels: Kernels): Promise<RunInto> {
  mkdirSync(folder, { recursive: true });
  const modules = new Map<string, Record<string, (...args: unknown[]) => Numbers>>();
  for (const [name, kernel] of Object.entries(kernels)) {
    const [file] = emitTypeScript(kernel, { name });
    const path = join(folder, file?.name ?? "");
    writeFileSync(path, file?.text ?? "");
    modules.set(name, await import(/* @vite-ignore */ pathToFileURL(path).href));
  }
  return (name, inputs, rows, columns, output) => {
    const kernel = kernels[name] as Kernel;
    const exported = Object.entries(modules.get(name) ?? {});
    const [, run] = exported.find(([key]) => key.endsWith(isOverRows(kernel) ? "Rows" : "Array")) ?? [];
    const given = paramsOf(kernel).map(({ name: param, lane, over }) => {
      const data = inputs[param] as ArrayLike<number>;
      return over === "one" ? data[0] : data === output ? output : ARRAYS[lane].from(data);
    });
    if (run === undefined) throw new TypeError(`${name} exports no function over arrays`);
    return run(...given, ...(isOverRows(kernel) ? [rows, columns] : []), output);
  };
}

type LoadedKernel = (...args: unknown[]) => Numbers;

/** Writes a kernel as WebAssembly with its loader below a folder of the project, imports that and loads the module from its file. */
export async function importLoader(folder: string, name: string, kernel: Kernel, form: Form): Promise<Run> {
  mkdirSync(folder, { recursive: true });
  for (const file of emitWasm(kernel, { name, forms: [form] })) {
    writeFileSync(join(folder, file.name), "text" in file ? file.text : file.bytes);
  }
  const { load } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, `${name}.js`)).href)) as {
    load(): Promise<LoadedKernel>;
  };
  const loaded = await load();
  return (_name, inputs, _rows, columns) => {
    const given = paramsOf(kernel).map(({ name: param, lane }) =>
      ARRAYS[lane].from(inputs[param] as ArrayLike<number>),
    );
    return loaded(...given, ...(isOverRows(kernel) ? [columns] : []));
  };
}
