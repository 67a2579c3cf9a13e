// lutra inspect on a program: its sizes, what goes in and out, and every step.

import { type Program, readProgram, tensorsRead, tensorsWritten } from "lutra";
import type { Command } from "../command.ts";
import { readBytes } from "../files.ts";
import { inFile } from "../model-file.ts";
import { codesText, type Ports, portsOf, type StepCounts, shapeText, stepCounts, stepsText } from "../program-ports.ts";
import { alignedTable, facts, grouped, left, plural, right, type Style } from "../text.ts";
import type { InspectOptions } from "./inspect.ts";

type Step = Program["blocks"][number]["steps"][number];
type TensorType = Program["tensors"][string];

export interface InspectProgramData extends Ports, StepCounts {
  readonly program: {
    readonly file: string;
    readonly bytes: number;
    /** Of all constants as they are computed with; in the file some are narrower. */
    readonly constantBytes: number;
    readonly tensors: number;
    readonly constants: number;
  };
  readonly sizes: Program["sizes"];
  readonly states: Program["states"];
  readonly blocks: readonly { readonly name: string; readonly steps: readonly InspectedStep[] }[];
}

export interface InspectedStep {
  readonly op: Step["op"];
  /** What the kernel of a step computes: "layer-norm", "a + b"; null without a kernel. */
  readonly computes: string | null;
  /** Tensors that are read, but for constants. */
  readonly reads: readonly string[];
  /** Of the constants that are read: weights, biases, tables of embeddings. */
  readonly constantBytes: number;
  readonly results: readonly (TensorType & { readonly name: string })[];
}

export const inspectProgram: Command<InspectOptions, InspectProgramData> = {
  async run({ file }) {
    // A copy: readers of programs want their first byte to be aligned.
    const bytes = Uint8Array.from(await readBytes(file));
    const program = await inFile(file, () => readProgram(bytes));
    const { sizes, states, tensors, constants, blocks } = program;
    const constantBytes = Object.values(constants).reduce((sum, { byteLength }) => sum + byteLength, 0);
    return {
      program: {
        file,
        bytes: bytes.length,
        constantBytes,
        tensors: Object.keys(tensors).length,
        constants: Object.keys(constants).length,
      },
      sizes,
      states,
      ...stepCounts(program),
      ...portsOf(program),
      blocks: blocks.map(({ name, steps }) => ({ name, steps: steps.map((step) => inspected(step, program)) })),
    };
  },
  print(data, style) {
    const { program, blocks } = data;
    const title = `${program.file}: ${stepsText(data)}, ${grouped(program.bytes)} bytes`;
    const tables = blocks.map((block) => `${style.bold(`block ${block.name}`)}\n${stepTable(block.steps, style)}`);
    return [`${style.bold(title)}\n${portFacts(data, style)}`, kindTable(data, style), ...tables].join("\n\n");
  },
};

function inspected(step: Step, { tensors, constants }: Program): InspectedStep {
  const read = [...new Set(tensorsRead(step))];
  const stored = read.flatMap((name) => constants[name] ?? []);
  return {
    op: step.op,
    computes: "kernel" in step ? step.kernel.spec.fn : null,
    reads: read.filter((name) => !Object.hasOwn(constants, name)),
    constantBytes: stored.reduce((sum, { byteLength }) => sum + byteLength, 0),
    results: tensorsWritten(step).map((name) => ({ name, ...(tensors[name] as TensorType) })),
  };
}

function portFacts({ program, sizes, states, inputs, outputs }: InspectProgramData, style: Style): string {
  const ports = (what: string, list: Ports["inputs"]): [string, string][] =>
    list.map((port) => [what, `${port.name} ${shapeText(port.shape)}, ${codesText(port)}`]);
  const pairs: [string, string][] = [
    ...sizes.map(({ name, least, most }): [string, string] => ["size", `${name}, ${least} to ${most}`]),
    ...ports("input", inputs),
    ...ports("output", outputs),
    ...(states.length === 0 ? [] : [["states", states.join(", ")] as [string, string]]),
    ["constants", `${grouped(program.constantBytes)} bytes in ${plural(program.constants, "tensor")}`],
  ];
  return facts(pairs, style);
}

/** How many steps of which kind, the most frequent first. */
function kindTable({ blocks }: InspectProgramData, style: Style): string {
  const kinds = new Map<string, { op: string; computes: string; count: number; bytes: number }>();
  for (const { op, computes, constantBytes } of blocks.flatMap(({ steps }) => steps)) {
    const key = `${op} ${computes}`;
    const kind = kinds.get(key) ?? { op, computes: computes ?? "", count: 0, bytes: 0 };
    kinds.set(key, { ...kind, count: kind.count + 1, bytes: kind.bytes + constantBytes });
  }
  const rows = [...kinds.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ op, computes, count, bytes }) => [op, computes, grouped(count), grouped(bytes)]);
  return alignedTable([left("step"), left("kernel"), right("count"), right("constant bytes")], rows, style);
}

function stepTable(steps: readonly InspectedStep[], style: Style): string {
  const rows = steps.map(({ op, computes, reads, constantBytes, results }, i) => [
    String(i),
    op,
    computes ?? "",
    reads.join(", "),
    constantBytes === 0 ? "" : grouped(constantBytes),
    results.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", "),
    results.map(({ lane }) => lane).join(", "),
  ]);
  const columns = [
    right(""),
    left("step"),
    left("kernel"),
    left("reads"),
    right("constant bytes"),
    left("gives"),
    left("holds"),
  ];
  return alignedTable(columns, rows, style);
}
