// What `lutra compile --to program` made, for people: what it changes, what was chosen and why, the layers, and how to run it.

import type { CompiledProgram } from "lutra";
import { changeTable } from "./metric-text.ts";
import { type Ports, type StepCounts, shapeText, stepsText } from "./program-ports.ts";
import {
  alignedTable,
  grouped,
  left,
  percent,
  plural,
  right,
  type Style,
  seconds as secondsText,
  significant,
} from "./text.ts";

export interface CompiledProgramData extends Omit<CompiledProgram, "program">, Ports, StepCounts {
  readonly to: "program";
  readonly model: string;
  readonly dataset: string;
  /** Of the program's file, and of the model with the files of its tensors. */
  readonly bytes: number;
  readonly originalBytes: number;
  /** The program first. */
  readonly files: readonly string[];
}

type Layer = NonNullable<CompiledProgramData["sensitivity"]>[number];

/** Layers beyond these are in the report alone. */
const MOST_LAYERS = 20;

export function compiledProgramText(data: CompiledProgramData, style: Style): string {
  const { model, bytes, originalBytes, seconds } = data;
  const title = `${model}: ${stepsText(data)}, compiled in ${secondsText(seconds)}`;
  const size = `${grouped(bytes)} bytes, ${percent(bytes / originalBytes)} of the ${grouped(originalBytes)} in floats`;
  return [
    `${style.bold(title)}\n${size}`,
    changeTable(data, ["floats", "integers"], style),
    choiceTable(data, style),
    ...(data.sensitivity === null ? [] : [layerTable(data.sensitivity, style)]),
    [style.bold("written"), ...data.files].join("\n  "),
    [style.bold("to run it, in Node or in a page"), ...programCode(data)].join("\n  "),
  ].join("\n\n");
}

function choiceTable({ choices }: CompiledProgramData, style: Style): string {
  const rows = choices.map(({ what, chosen, why }) => [what, chosen, why]);
  return alignedTable([left("choice"), left("chosen"), left("because")], rows, style);
}

/**
 * The layers whose codes make most noise: the float model's own numbers in those codes, what the program really holds, and what that noise alone
 * does to the answers.
 */
function layerTable(layers: readonly Layer[], style: Style): string {
  const columns = [
    left("layer"),
    left("operator"),
    right("bits"),
    right("its own codes"),
    right("all noise"),
    right("clipped"),
    right("logit error of it alone"),
  ];
  const rows = layers
    .slice(0, MOST_LAYERS)
    .map((layer) => [
      layer.layer,
      layer.operator,
      String(layer.bits),
      decibels(layer.roundedSignalToNoise),
      decibels(layer.signalToNoise),
      percent(layer.clipped),
      layer.errorAlone === null ? "" : significant(layer.errorAlone),
    ]);
  const rest = layers.length - rows.length;
  const more = rest > 0 ? [`and ${plural(rest, "layer")} of less noise, in report.html`] : [];
  return [style.bold("signal to noise of layers"), alignedTable(columns, rows, style), ...more].join("\n");
}

function decibels(value: number): string {
  return `${value.toFixed(1)} dB`;
}

/** Three lines of a user's own program. */
function programCode({ files, inputs, outputs }: CompiledProgramData): readonly string[] {
  const given = inputs.map(({ name, shape }) => `${keyText(name)}: { shape: ${shapeText(shape)}, data }`);
  const taken = outputs.map(({ name }) => (keyText(name) === name ? name : `${keyText(name)}: output`));
  return [
    'import { load } from "lutra/run";',
    `const model = await load(${JSON.stringify(files[0])});`,
    `const { ${taken.join(", ")} } = await model.run({ ${given.join(", ")} });`,
  ];
}

/** A name as the key of an object. */
function keyText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
