// The steps that run a kernel: exact products, and the kernel on each pair of rows and columns of a tile.

import { sizeOf } from "../base/index.ts";
import { interpret as interpretKernel, type Kernel, type Over } from "../kernel/index.ts";
import { axesOver } from "./align.ts";
import { codesIn, type Machine, shapeOf, tensorIn, write } from "./machine.ts";
import { commonShape, repeatedPlaces } from "./places.ts";
import type { Codes, Step } from "./types.ts";
import { ACCUMULATOR } from "./verify-tiles.ts";

/** The sums of a product, and the tile they fill. */
export function multiply(
  machine: Machine,
  step: Step & { readonly op: "product" },
): { sums: Int32Array; tile: number[] } {
  const [a, b] = [tensorIn(machine, step.a), tensorIn(machine, step.b)];
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(step.isTransposed ? -2 : -1) as number;
  const [leadingA, leadingB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = commonShape(leadingA, leadingB);
  const [blocksA, blocksB] = [repeatedPlaces(outer, leadingA), repeatedPlaces(outer, leadingB)];
  const sums = new Int32Array(blocksA.length * m * n);
  const [alongK, alongN] = step.isTransposed ? [1, k] : [n, 1];
  const [left, right] = [a.data as Codes, b.data as Codes];
  for (let block = 0; block < blocksA.length; block++) {
    for (let row = 0; row < m; row++) {
      const from = ((blocksA[block] as number) * m + row) * k;
      for (let column = 0; column < n; column++) {
        const at = (blocksB[block] as number) * k * n + column * alongN;
        let sum = 0;
        for (let i = 0; i < k; i++) sum += (left[from + i] as number) * (right[at + i * alongK] as number);
        sums[(block * m + row) * n + column] = sum;
      }
    }
  }
  return { sums, tile: [...outer, m, n] };
}

/** The kernel on each pair of rows and columns of a tile. */
export function onTile(
  machine: Machine,
  kernel: Kernel,
  tile: readonly number[],
  args: Readonly<Record<string, string>>,
  results: readonly string[],
  accumulator?: Int32Array,
): void {
  const outer = tile.slice(0, -2);
  const [rows, columns] = tile.slice(-2) as [number, number];
  const params = kernel.values.flatMap((value) => {
    if (value.op !== "param") return [];
    const size = sizeOver(value.over, rows, columns);
    const isSum = value.name === ACCUMULATOR && accumulator !== undefined;
    const name = args[value.name] as string;
    const shape = isSum ? tile : shapeOf(machine, name);
    const leading = shape.slice(0, shape.length - axesOver(value.over));
    return [
      {
        name: value.name,
        size,
        codes: isSum ? accumulator : codesIn(machine, name),
        blocks: repeatedPlaces(outer, leading),
      },
    ];
  });
  const sizes = kernel.results.map((i) => sizeOver(kernel.values[i]?.over as Over, rows, columns));
  const count = sizeOf(outer);
  const out = results.map((name, i) => write(machine, name, count * (sizes[i] as number)));
  for (let block = 0; block < count; block++) {
    const inputs = params.map(({ name, size, codes, blocks: of }) => {
      const at = (of[block] as number) * size;
      return [name, codes.subarray(at, at + size)] as const;
    });
    const answers = interpretKernel(kernel, Object.fromEntries(inputs), rows, columns);
    for (const [i, answer] of answers.entries()) out[i]?.set(answer, block * (sizes[i] as number));
  }
}

function sizeOver(over: Over, rows: number, columns: number): number {
  return (over === "element" || over === "row" ? rows : 1) * (over === "element" || over === "column" ? columns : 1);
}
