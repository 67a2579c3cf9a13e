// Reads a dataset description from JSON. Everything that can be checked without the files is checked here, by hand, so that an error
// names the field; what needs the files is checked when they are loaded.

import { LutraError } from "../base/index.ts";
import {
  type DatasetDescription,
  type InputSources,
  METRICS,
  type Metric,
  SCORES,
  type SplitSizes,
  type TargetSource,
} from "./description.ts";
import {
  allowOnly,
  choiceField,
  type Fields,
  flagField,
  has,
  integerField,
  numberField,
  objectField,
  placeOf,
  stringField,
  stringsField,
  topFields,
} from "./json-fields.ts";
import { MAX_ELEMENTS } from "./npy.ts";
import { readInputs, readReference, readTextReference } from "./parse-inputs.ts";
import { decodeText } from "./text.ts";

const MAX_DESCRIPTION_BYTES = 1_048_576;

const SPLIT_FIELDS = ["calibration", "selection", "report", "seed", "shuffle"];

const DEFAULT_METRICS: Readonly<Record<TargetSource["kind"], readonly Metric[]>> = {
  labels: ["accuracy", "nll"],
  "next-token": ["nll", "perplexity"],
  "masked-token": ["accuracy", "nll"],
};

/**
 * The description in a JSON file's bytes. `name` is the file's, for messages.
 * @throws LutraError "bad-data", naming the field
 */
export function parseDescription(bytes: Uint8Array, name: string): DatasetDescription {
  if (bytes.length > MAX_DESCRIPTION_BYTES) {
    throw new LutraError(
      "bad-data",
      `a description of ${bytes.length} bytes exceeds the limit of ${MAX_DESCRIPTION_BYTES}`,
      {
        where: name,
        note: "--data takes the JSON file that describes the data, not the data itself",
      },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(decodeText(bytes, name));
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    throw new LutraError("bad-data", `the description is not JSON: ${(cause as Error).message}`, {
      where: name,
      cause,
    });
  }
  return readDescription(
    topFields(json, name, ["name", "inputs", "target", "output", "scores", "metrics", "splits", "calibration"]),
  );
}

function readDescription(fields: Fields): DatasetDescription {
  const inputs = readInputs(objectField(fields, "inputs"));
  const target = has(fields, "target") ? readTarget(objectField(fields, "target"), inputs) : null;
  const calibration = has(fields, "calibration")
    ? readInputs(objectField(objectField(fields, "calibration", ["inputs"]), "inputs"))
    : null;
  const splits = readSplits(has(fields, "splits") ? objectField(fields, "splits", SPLIT_FIELDS) : null);
  if (calibration !== null && splits.calibration > 0) {
    throw new LutraError(
      "bad-data",
      `${splits.calibration} samples are to be drawn although calibration has its own inputs`,
      {
        where: placeOf(fields, "splits.calibration"),
        note: "keep one of the two",
      },
    );
  }
  return {
    name: stringField(fields, "name"),
    inputs,
    target,
    output: has(fields, "output") ? stringField(fields, "output") : null,
    scores: has(fields, "scores") ? choiceField(fields, "scores", SCORES) : "logits",
    metrics: readMetrics(fields, target),
    splits,
    calibration,
  };
}

function readMetrics(fields: Fields, target: TargetSource | null): readonly Metric[] {
  if (!has(fields, "metrics")) return target === null ? [] : DEFAULT_METRICS[target.kind];
  const metrics = stringsField(fields, "metrics", METRICS.length, METRICS);
  if (target !== null) return metrics;
  throw new LutraError("bad-data", `${metrics.join(" and ")} cannot be measured without a target`, {
    where: placeOf(fields, "metrics"),
    note: "add a target, or leave metrics out to compare outputs only",
  });
}

function readTarget(fields: Fields, inputs: InputSources): TargetSource {
  const kind = choiceField(fields, "kind", ["labels", "next-token", "masked-token"]);
  if (kind === "labels") return readLabels(fields, inputs);
  if (kind === "masked-token") {
    allowOnly(fields, ["kind", "file", "key", "ignore"]);
    return { kind, ...readReference(fields), ignore: has(fields, "ignore") ? numberField(fields, "ignore") : -100 };
  }
  allowOnly(fields, ["kind", "input"]);
  return { kind, input: choiceField(fields, "input", Object.keys(inputs)) };
}

function readLabels(fields: Fields, inputs: InputSources): TargetSource {
  const at = has(fields, "at") ? { at: choiceField(fields, "at", Object.keys(inputs)) } : {};
  if (!has(fields, "text")) {
    allowOnly(fields, ["kind", "file", "key", "at"]);
    return { kind: "labels", ...readReference(fields), ...at };
  }
  allowOnly(fields, ["kind", "text", "classes", "at"]);
  return { kind: "labels", text: readTextReference(fields), classes: stringField(fields, "classes"), ...at };
}

function readSplits(fields: Fields | null): SplitSizes {
  const count = (name: string): number | null =>
    fields !== null && has(fields, name) ? integerField(fields, name, 0, MAX_ELEMENTS) : null;
  return {
    calibration: count("calibration") ?? 0,
    selection: count("selection") ?? 0,
    report: count("report"),
    seed: fields !== null && has(fields, "seed") ? integerField(fields, "seed", 0, 2 ** 32 - 1) : 1,
    shuffle: fields === null || !has(fields, "shuffle") || flagField(fields, "shuffle"),
  };
}
