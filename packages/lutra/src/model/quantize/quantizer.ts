// A model ready to be quantized: traced, and once its numbers were seen, lowered by any scheme. What the parts of this folder are together.

import type { Control, Session } from "../../base/index.ts";
import type { Dataset } from "../../data/index.ts";
import type { Model } from "../../onnx/index.ts";
import type { Program } from "../../program/index.ts";
import type { Spec, Table } from "../../table/index.ts";
import { trace } from "../trace/trace.ts";
import { askedOf } from "./asked.ts";
import { type LayerReport, layerReports } from "./layers.ts";
import { migratable, weighedInputs } from "./migration.ts";
import { observe } from "./observe.ts";
import { prepare } from "./prepare.ts";
import { attentionsOf, gatesOf, lowerBy, type Scheme } from "./scheme.ts";
import { type Choosable, floatChoices, inputChoices, type ProgramChoice, sizeChoices } from "./scheme-text.ts";
import { sizesOf } from "./sizes.ts";

export interface QuantizerOptions {
  /** The best table of a spec of 8 bits. */
  readonly table: (spec: Spec) => Table;
  /** Whether what has no integer form may be computed in binary32. */
  readonly allowFloat: boolean;
}

export interface Quantizer {
  readonly choosable: Choosable;
  /**
   * Sees the model's numbers on the calibration split; answers are not looked at.
   * @param dataset fitted to the model
   * @param openSession opens a session of an ONNX file's bytes; it is released here
   * @throws LutraError "bad-data" if there are no calibration samples, or if a number is NaN or infinite; "cancelled"
   */
  calibrate(
    dataset: Dataset,
    openSession: (bytes: Uint8Array) => Promise<Session>,
    control?: Control,
  ): Promise<CalibratedQuantizer>;
}

export interface CalibratedQuantizer {
  quantize(scheme: Scheme): QuantizedModel;
}

export interface QuantizedModel {
  /** Verified. */
  readonly program: Program;
  /** What the model itself decided: the formats of inputs, the bounds of sizes, what is computed in floats. */
  readonly choices: readonly ProgramChoice[];
  /** Layers by the noise that they make, most first, on a few calibration samples, which are interpreted. */
  compareLayers(control?: Control): Promise<readonly LayerReport[]>;
}

/**
 * @param model with its tensors in its file
 * @throws LutraError "unsupported" naming the node that has no integer form
 */
export function quantizer(model: Model, { table, allowFloat }: QuantizerOptions): Quantizer {
  const network = prepare(trace(model));
  const sizes = sizesOf(network);
  const asked = askedOf(network, sizes, table, allowFloat);
  return {
    choosable: {
      attentions: attentionsOf(network),
      canMigrate: migratable(network).size > 0,
      hasWeighedInput: weighedInputs(network).length > 0,
      hasGates: gatesOf(network).size > 0,
    },
    async calibrate(dataset, openSession, control = {}) {
      const observed = await observe(model, network, asked, migratable(network), dataset, openSession, control);
      return {
        quantize(scheme) {
          const lowered = lowerBy(scheme, network, observed, sizes, table, allowFloat);
          const choices = [
            ...inputChoices(observed, lowered),
            ...sizeChoices(sizes),
            ...floatChoices(lowered, allowFloat),
          ];
          return {
            program: lowered.program,
            choices,
            compareLayers: (inner = {}) => layerReports(model, network, lowered, dataset, openSession, inner),
          };
        },
      };
    },
  };
}
