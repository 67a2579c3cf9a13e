// The `inputs` of a dataset description: which kind of source each is, told by the field that only this kind has, and its checked fields.

import { LutraError } from "../base/index.ts";
import {
  type CarriedInput,
  type CompanionInput,
  type ConstantInput,
  ELEMENT_TYPES,
  type FileInput,
  type FileReference,
  type InputSource,
  type InputSources,
  type LengthSource,
  type RandomInput,
  type TextInput,
  type TextReference,
  type TokenizerSource,
  type Windows,
} from "./description.ts";
import {
  allowOnly,
  choiceField,
  type Fields,
  flagField,
  has,
  integerField,
  integersField,
  numberField,
  objectField,
  placeOf,
  stringField,
  stringsField,
} from "./json-fields.ts";
import { MAX_DIMENSIONS, MAX_ELEMENTS } from "./npy.ts";

const MAX_INPUTS = 64;
const MAX_COLUMNS = 4_096;
const MAX_EXTENT: number = 2 ** 24;

/** @throws LutraError "bad-data", naming the field */
export function readInputs(fields: Fields): InputSources {
  const names = Object.keys(fields.members);
  if (names.length === 0 || names.length > MAX_INPUTS) {
    throw new LutraError("bad-data", `a dataset has 1 to ${MAX_INPUTS} inputs, got ${names.length}`, {
      where: placeOf(fields),
    });
  }
  const inputs = Object.fromEntries(names.map((name) => [name, readInput(objectField(fields, name))]));
  for (const [name, input] of Object.entries(inputs)) {
    if (input.from !== "mask" && input.from !== "zeros") continue;
    if (Object.hasOwn(inputs, input.of) && countsSamples(inputs[input.of])) continue;
    throw new LutraError("bad-data", `"${input.of}" is not an input with values of its own`, {
      where: placeOf(fields, `${name}.${input.from}`),
    });
  }
  if (!Object.values(inputs).some(countsSamples)) {
    throw new LutraError("bad-data", "no input says how many samples there are", {
      where: placeOf(fields),
      note: "one must come from a file or from random",
    });
  }
  return inputs;
}

/** Whether an input has values of its own for each sample. */
function countsSamples({ from }: InputSource): boolean {
  return from === "file" || from === "text" || from === "random";
}

function readInput(fields: Fields): InputSource {
  if (has(fields, "mask")) return readCompanion(fields, "mask");
  if (has(fields, "zeros")) return readCompanion(fields, "zeros");
  if (has(fields, "random")) return readRandom(fields);
  if (has(fields, "text")) return readTextInput(fields);
  if (has(fields, "constant")) return readConstant(fields);
  if (has(fields, "carry")) return readCarried(fields);
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
    count: integerField(random, "count", 1, MAX_EXTENT),
    shape: shapeField(random),
    below: integerField(random, "below", 1, 2 ** 31),
    seed: integerField(random, "seed", 0, 2 ** 32 - 1),
  };
}

function readConstant(fields: Fields): ConstantInput {
  allowOnly(fields, ["constant", "shape", "type"]);
  return {
    from: "constant",
    type: choiceField(fields, "type", ELEMENT_TYPES),
    value: numberField(fields, "constant"),
    shape: has(fields, "shape") ? shapeField(fields) : [],
  };
}

function readCarried(fields: Fields): CarriedInput {
  allowOnly(fields, ["carry", "shape", "type"]);
  const type = choiceField(fields, "type", ELEMENT_TYPES);
  return { from: "carry", type, output: stringField(fields, "carry"), shape: shapeField(fields) };
}

function shapeField(fields: Fields): readonly number[] {
  return integersField(fields, "shape", MAX_DIMENSIONS, 1, MAX_EXTENT);
}

function readTextInput(fields: Fields): TextInput {
  allowOnly(fields, ["text", "tokenizer", "type"]);
  const type = choiceField(fields, "type", ELEMENT_TYPES);
  return { from: "text", type, text: readTextReference(fields), tokenizer: readTokenizer(fields) };
}

/** The field `text`. */
export function readTextReference(fields: Fields): TextReference {
  const text = objectField(fields, "text", ["file", "column"]);
  const isNumber = typeof text.members.column === "number";
  const column = isNumber ? integerField(text, "column", 1, MAX_COLUMNS) : stringField(text, "column");
  return { file: stringField(text, "file"), column };
}

function readTokenizer(parent: Fields): TokenizerSource {
  const fields = objectField(parent, "tokenizer");
  const optional = (name: string): Readonly<Record<string, string>> =>
    has(fields, name) ? { [name]: stringField(fields, name) } : {};
  if (has(fields, "json")) {
    allowOnly(fields, ["json", "config"]);
    return { kind: "json", file: stringField(fields, "json"), ...optional("config") };
  }
  if (has(fields, "wordpiece")) {
    allowOnly(fields, ["wordpiece", "lowercase", "ids"]);
    const lowercase = has(fields, "lowercase") ? flagField(fields, "lowercase") : true;
    return { kind: "wordpiece", vocab: stringField(fields, "wordpiece"), lowercase, ...optional("ids") };
  }
  if (!has(fields, "characters")) {
    throw new LutraError("bad-data", "which tokenizer is meant?", {
      where: placeOf(fields),
      note: 'set "json", "wordpiece" or "characters" to the file that says it',
    });
  }
  allowOnly(fields, ["characters", "unknown", "begin", "end", "mark"]);
  const tokens = { ...optional("begin"), ...optional("end"), ...optional("mark") };
  return {
    kind: "characters",
    vocab: stringField(fields, "characters"),
    unknown: stringField(fields, "unknown"),
    ...tokens,
  };
}

function readFileInput(fields: Fields): FileInput {
  allowOnly(fields, ["file", "key", "columns", "type", "shape", "scale", "mean", "std", "length", "windows"]);
  const std = has(fields, "std") ? numberField(fields, "std") : 1;
  if (!(std > 0)) throw new LutraError("bad-data", `must be positive, got ${std}`, { where: placeOf(fields, "std") });
  return {
    from: "file",
    ...readReference(fields),
    ...(has(fields, "columns") ? { columns: stringsField(fields, "columns", MAX_COLUMNS) } : {}),
    ...(has(fields, "shape") ? { shape: integersField(fields, "shape", MAX_DIMENSIONS, 1, MAX_ELEMENTS) } : {}),
    ...(has(fields, "length") ? { length: readLength(objectField(fields, "length", ["file", "key", "pad"])) } : {}),
    ...(has(fields, "windows") ? { windows: readWindows(fields) } : {}),
    type: choiceField(fields, "type", ELEMENT_TYPES),
    scale: has(fields, "scale") ? numberField(fields, "scale") : 1,
    mean: has(fields, "mean") ? numberField(fields, "mean") : 0,
    std,
  };
}

function readWindows(parent: Fields): Windows {
  const fields = objectField(parent, "windows", ["size", "step", "before"]);
  const size = integerField(fields, "size", 1, MAX_EXTENT);
  const step = integerField(fields, "step", 1, MAX_EXTENT);
  return { size, step, before: has(fields, "before") ? integerField(fields, "before", 0, size - 1) : 0 };
}

/** The fields `file` and `key`. */
export function readReference(fields: Fields): FileReference {
  const file = stringField(fields, "file");
  return has(fields, "key") ? { file, key: stringField(fields, "key") } : { file };
}

function readLength(fields: Fields): LengthSource {
  return has(fields, "pad") ? { pad: numberField(fields, "pad") } : readReference(fields);
}
