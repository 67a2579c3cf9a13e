// Reads a dataset description from JSON. Everything that can be checked without the files is checked here, by hand, so that an error
// names the field; what needs the files is checked when they are loaded.

import { LutraError } from "../base/index.ts";
import {
  type CompanionInput,
  type DatasetDescription,
  ELEMENT_TYPES,
  type FileInput,
  type FileReference,
  type InputSource,
  type InputSources,
  type LengthSource,
  METRICS,
  type Metric,
  type RandomInput,
  type SplitSizes,
  type TargetSource,
} from "./description.ts";
import {
  allowOnly,
  choiceField,
  type Fields,
  has,
  integerField,
  integersField,
  numberField,
  objectField,
  placeOf,
  stringField,
  stringsField,
  topFields,
} from "./json-fields.ts";
import { MAX_DIMENSIONS, MAX_ELEMENTS } from "./npy.ts";
import { decodeText } from "./text.ts";

const MAX_DESCRIPTION_BYTES = 1_048_576;
const MAX_INPUTS = 64;
const MAX_COLUMNS = 4_096;

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
    topFields(json, name, ["name", "inputs", "target", "output", "metrics", "splits", "calibration"]),
  );
}

function readDescription(fields: Fields): DatasetDescription {
  const inputs = readInputs(objectField(fields, "inputs"));
  const target = has(fields, "target") ? readTarget(objectField(fields, "target"), inputs) : null;
  const calibration = has(fields, "calibration")
    ? readInputs(objectField(objectField(fields, "calibration", ["inputs"]), "inputs"))
    : null;
  const splits = readSplits(
    has(fields, "splits") ? objectField(fields, "splits", ["calibration", "selection", "report", "seed"]) : null,
  );
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

function readInputs(fields: Fields): InputSources {
  const names = Object.keys(fields.members);
  if (names.length === 0 || names.length > MAX_INPUTS) {
    throw new LutraError("bad-data", `a dataset has 1 to ${MAX_INPUTS} inputs, got ${names.length}`, {
      where: placeOf(fields),
    });
  }
  const inputs = Object.fromEntries(names.map((name) => [name, readInput(objectField(fields, name))]));
  for (const [name, input] of Object.entries(inputs)) {
    if (input.from !== "mask" && input.from !== "zeros") continue;
    const other = Object.hasOwn(inputs, input.of) ? inputs[input.of] : undefined;
    if (other === undefined || other.from === "mask" || other.from === "zeros") {
      throw new LutraError("bad-data", `"${input.of}" is not an input with values of its own`, {
        where: placeOf(fields, `${name}.${input.from}`),
      });
    }
  }
  return inputs;
}

function readInput(fields: Fields): InputSource {
  if (has(fields, "mask")) return readCompanion(fields, "mask");
  if (has(fields, "zeros")) return readCompanion(fields, "zeros");
  if (has(fields, "random")) return readRandom(fields);
  return readFileInput(fields);
}

function readCompanion(fields: Fields, from: "mask" | "zeros"): CompanionInput {
  allowOnly(fields, [from, "type"]);
  return { from, of: stringField(fields, from), type: choiceField(fields, "type", ELEMENT_TYPES) };
}

function readRandom(fields: Fields): RandomInput {
  allowOnly(fields, ["random", "type"]);
  const random = objectField(fields, "random", ["count", "shape", "below", "seed"]);
  return {
    from: "random",
    type: choiceField(fields, "type", ELEMENT_TYPES),
    count: integerField(random, "count", 1, 2 ** 24),
    shape: integersField(random, "shape", MAX_DIMENSIONS, 1, 2 ** 24),
    below: integerField(random, "below", 1, 2 ** 31),
    seed: integerField(random, "seed", 0, 2 ** 32 - 1),
  };
}

function readFileInput(fields: Fields): FileInput {
  allowOnly(fields, ["file", "key", "columns", "type", "shape", "scale", "mean", "std", "length"]);
  const std = has(fields, "std") ? numberField(fields, "std") : 1;
  if (!(std > 0)) throw new LutraError("bad-data", `must be positive, got ${std}`, { where: placeOf(fields, "std") });
  return {
    from: "file",
    ...readReference(fields),
    ...(has(fields, "columns") ? { columns: stringsField(fields, "columns", MAX_COLUMNS) } : {}),
    ...(has(fields, "shape") ? { shape: integersField(fields, "shape", MAX_DIMENSIONS, 1, MAX_ELEMENTS) } : {}),
    ...(has(fields, "length") ? { length: readLength(objectField(fields, "length", ["file", "key", "pad"])) } : {}),
    type: choiceField(fields, "type", ELEMENT_TYPES),
    scale: has(fields, "scale") ? numberField(fields, "scale") : 1,
    mean: has(fields, "mean") ? numberField(fields, "mean") : 0,
    std,
  };
}

function readReference(fields: Fields): FileReference {
  const file = stringField(fields, "file");
  return has(fields, "key") ? { file, key: stringField(fields, "key") } : { file };
}

function readLength(fields: Fields): LengthSource {
  return has(fields, "pad") ? { pad: numberField(fields, "pad") } : readReference(fields);
}

function readTarget(fields: Fields, inputs: InputSources): TargetSource {
  const kind = choiceField(fields, "kind", ["labels", "next-token", "masked-token"]);
  if (kind === "labels") {
    allowOnly(fields, ["kind", "file", "key"]);
    return { kind, ...readReference(fields) };
  }
  if (kind === "masked-token") {
    allowOnly(fields, ["kind", "file", "key", "ignore"]);
    return { kind, ...readReference(fields), ignore: has(fields, "ignore") ? numberField(fields, "ignore") : -100 };
  }
  allowOnly(fields, ["kind", "input"]);
  return { kind, input: choiceField(fields, "input", Object.keys(inputs)) };
}

function readSplits(fields: Fields | null): SplitSizes {
  const count = (name: string): number | null =>
    fields !== null && has(fields, name) ? integerField(fields, name, 0, MAX_ELEMENTS) : null;
  return {
    calibration: count("calibration") ?? 0,
    selection: count("selection") ?? 0,
    report: count("report"),
    seed: fields !== null && has(fields, "seed") ? integerField(fields, "seed", 0, 2 ** 32 - 1) : 1,
  };
}
