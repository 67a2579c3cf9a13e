// An integer program beside the float model it was made of: every tensor that both have, on the same inputs. What each tensor's codes stand for
// against the model's numbers, and against these numbers rounded to the tensor's own codes: so that noise that arrives is told from noise that is made.

import type { Tensor, Tensors } from "../../base/index.ts";
import { parseFn } from "../../fn/index.ts";
import { codeRange } from "../../num/index.ts";
import {
  type Codes,
  decodeCodes,
  encodeInputs,
  encodeNumbers,
  interpret,
  type TensorType,
} from "../../program/index.ts";
import type { Network } from "../trace/network.ts";
import type { HeldTensor, Lowered } from "./scheme.ts";

/** One tensor of a program against its numbers in the model. Decibels: 10 log10 (sum of squares / sum of squared differences). */
export interface TensorComparison {
  readonly held: HeldTensor;
  /** The value of the model. */
  readonly source: string;
  /** What the program holds against what the model holds. */
  readonly signalToNoise: number;
  /** What is left if the model's numbers are rounded to this tensor's codes: the noise that the format alone makes. */
  readonly roundedSignalToNoise: number;
  /** Share of the model's numbers at the ends of the codes, or beyond. */
  readonly clipped: number;
}

/** The model's values that a comparison needs: name them to `exposeValues`. */
export function comparedValues({ held }: Lowered, { sources, inputs }: Network): readonly string[] {
  const names = held.map(({ network }) => sources[network]).filter((name) => name !== undefined);
  return [...new Set(names)].filter((name) => !inputs.includes(name));
}

/**
 * Every tensor that program and model both have, in the order in which the program computes them.
 * @param inputs as the float model takes them
 * @param values of the model on these inputs, by name, the inputs among them
 */
export function compareTensors(
  lowered: Lowered,
  network: Network,
  inputs: Tensors,
  values: Tensors,
): readonly TensorComparison[] {
  const { program, held } = lowered;
  const byTensor = new Map(held.map((each) => [each.tensor, each]));
  const found: TensorComparison[] = [];
  interpret(program, encodeInputs(program, inputs), {
    observe(name, tensor) {
      const each = byTensor.get(name);
      const source = each === undefined ? undefined : network.sources[each.network];
      const value = source === undefined ? undefined : values[source];
      if (each === undefined || source === undefined || value === undefined) return;
      found.push(compareOne(each, source, program.tensors[name] as TensorType, tensor, value));
    },
  });
  return found;
}

function compareOne(
  held: HeldTensor,
  source: string,
  type: TensorType,
  { data: codes }: Tensor,
  value: Tensor,
): TensorComparison {
  const expected = numbersOf(value, held.factors);
  const quantization = type.quantization ?? { scale: held.format.scale, zeroPoint: held.format.zeroPoint };
  const rounded = encodeNumbers(expected, { ...type, quantization });
  const { lo, hi } = codeRange(held.format);
  let ends = 0;
  for (const code of rounded) if (code <= lo || code >= hi) ends++;
  return {
    held,
    source,
    signalToNoise: decibels(expected, decodeCodes(codes as Codes, quantization)),
    roundedSignalToNoise: decibels(expected, decodeCodes(rounded, quantization)),
    clipped: ends / Math.max(1, rounded.length),
  };
}

function numbersOf({ data }: Tensor, factors: Float64Array | null): Float64Array {
  return Float64Array.from({ length: data.length }, (_, i) => {
    return Number(data[i]) / (factors === null ? 1 : (factors[i % factors.length] as number));
  });
}

function decibels(expected: Float64Array, found: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  expected.forEach((x, i) => {
    const difference = x - (found[i] as number);
    signal += x * x;
    noise += difference * difference;
  });
  if (signal === 0 || noise === 0) return noise === 0 ? Infinity : -Infinity;
  const log = parseFn("log");
  return (10 / log.evaluate(10)) * log.evaluate(signal / noise);
}
