// A model made ready for trying plans: its layers found, the dataset fitted to it, the original measured, the layers' inputs recorded.
// What compiling, comparing methods and refitting have in common.

import { type Control, LutraError, type Session } from "./base/index.ts";
import { type Dataset, fitDataset } from "./data/index.ts";
import { parseFn } from "./fn/index.ts";
import { holes, type Kernel } from "./kernel/index.ts";
import { layerFor } from "./layer/index.ts";
import { calibrate, declaredInputs, needsCalibration, type Score, score } from "./model/index.ts";
import { type Interval, valuesOf } from "./num/index.ts";
import {
  concatenate,
  embedExternal,
  findLayers,
  type Layers,
  type Model,
  type Site,
  type Skipped,
  writeModel,
} from "./onnx/index.ts";
import { type Bench, solver } from "./prove.ts";
import { checkOpset } from "./target/onnx/index.ts";

/** What the library needs from outside. */
export interface CompileTools {
  /** A session over a serialized model. */
  openSession(model: Uint8Array): Promise<Session>;
  /** Milliseconds, for the seconds reported; the library has no clock of its own. */
  now(): number;
}

export interface Workbench {
  readonly bench: Bench;
  /** Layers that no table will replace, and why. */
  readonly skipped: readonly Skipped[];
  /** Of the model as it was given; the caller releases it. */
  readonly original: Session;
  /** The dataset, fitted to the model's inputs. */
  readonly dataset: Dataset;
  /** The original on the report split. */
  readonly before: Score;
}

export interface WorkbenchOptions {
  /** Kinds of layer to replace; all if absent. */
  readonly only?: readonly string[];
  /** Write the functions' nodes inline instead of model-local functions. */
  readonly flat: boolean;
  readonly seed: number;
}

/**
 * @param given external tensors are taken into the model, so that what is rewritten is one file, unless `externalFiles` says otherwise
 * @param dataset as loaded
 * @throws LutraError "unsupported" if the model's opset is too old, before anything is measured; "bad-model" if there is nothing to
 *   replace; "bad-argument" if `only` names a kind the model has not; whatever its parts throw; "cancelled"
 */
export async function openWorkbench(
  given: Model,
  dataset: Dataset,
  options: WorkbenchOptions,
  tools: CompileTools,
  control: Control,
): Promise<Workbench> {
  checkOpset(given.opset);
  const model = embedExternal(given);
  const { sites, skipped } = chooseLayers(model, options.only);
  const original = await tools.openSession(concatenate(writeModel(model)));
  try {
    const fitted = fitDataset(dataset, declaredInputs(model));
    const before = await score(original, fitted, "report", control, { stage: "measuring the original" });
    const unsized = Object.fromEntries(sites.map((site) => [site.id, kernelFor(site, UNKNOWN_ROW)]));
    const calibration = await calibrate(model, sites, unsized, fitted, tools.openSession, control);
    const sized = sites.map((site): [string, Kernel] => {
      return [site.id, kernelFor(site, certifiedRow(calibration[site.id]?.longestRow ?? UNSEEN_ROW))];
    });
    const { seed, flat } = options;
    const bench = { model, sites, empty: new Map(sized), calibration, solve: solver(seed, control), flat };
    return { bench, skipped, original, dataset: fitted, before };
  } catch (error) {
    await original.release();
    throw error;
  }
}

// sites ---------------------------------------------------------------------------------------------------------------

/** @throws LutraError "bad-model" if no site is left; "bad-argument" if `only` names a kind the model has not */
function chooseLayers(model: Model, only: readonly string[] | undefined): Layers {
  const { sites: all, skipped } = plannable(findLayers(model));
  if (all.length === 0) {
    const [first] = skipped;
    throw new LutraError("bad-model", "no non-linear layer was found in the model", {
      note:
        first === undefined
          ? "lutra inspect lists what is looked for"
          : `${first.operator} is there, but ${first.reason}`,
    });
  }
  if (only === undefined) return { sites: all, skipped };
  const kinds = [...new Set(all.map((site) => site.kind))];
  const unknown = only.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) {
    throw new LutraError("bad-argument", `the model has no layer of kind "${unknown}"`, {
      note: `it has ${kinds.join(", ")}`,
    });
  }
  return { sites: all.filter((site) => only.includes(site.kind)), skipped };
}

/** Calibration does not see what goes on in bodies and functions: there, only functions that need no range are replaced. */
function plannable({ sites, skipped }: Layers): Layers {
  const isPlannable = (site: Site): boolean =>
    site.scope === undefined || !holes(kernelFor(site, UNSEEN_ROW)).some(({ spec }) => needsCalibration(spec));
  const unseen = sites
    .filter((site) => !isPlannable(site))
    .map(({ id, kind, scope }) => ({
      ...{ id, operator: kind, reason: "it needs a range, and calibration does not see inside bodies and functions" },
      ...(scope === undefined ? {} : { scope }),
    }));
  return { sites: sites.filter(isPlannable), skipped: [...skipped, ...unseen] };
}

/** Rows inside a body or a function, which calibration does not see, are certified up to this length. */
const UNSEEN_ROW = 4096;

/** Row length assumed before calibration has seen the rows; no part of what calibration computes depends on it. */
const UNKNOWN_ROW = 1;

function kernelFor(site: Site, maxRow: number): Kernel {
  return layerFor({
    kind: site.kind,
    inputCount: site.inputs.length,
    maxRow,
    domain: domainOf(site),
    ...(site.formats === undefined ? {} : { formats: site.formats }),
    ...(site.attributes.epsilon === undefined ? {} : { epsilon: site.attributes.epsilon }),
  });
}

function domainOf({ kind, axes, formats }: Site): Interval {
  if (formats !== undefined) return valuesOf(formats.input);
  return axes === null ? parseFn(kind).domain : { lo: -Infinity, hi: Infinity };
}

/** Rows are certified up to the next power of two of the longest row seen, at least 64: small changes of a batch change no certificate. */
function certifiedRow(longest: number): number {
  return Math.max(64, 2 ** (32 - Math.clz32(Math.max(1, longest) - 1)));
}
