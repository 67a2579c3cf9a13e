// Reading validated fields out of parsed JSON: each refuses with the field's full path and the value it found. Knows nothing of datasets.

import { LutraError } from "../base/index.ts";

/** An object of the JSON and where it stands. */
export interface Fields {
  readonly file: string;
  /** "inputs.mfcc"; "" for the outermost object. */
  readonly path: string;
  readonly members: Readonly<Record<string, unknown>>;
}

function refuse(message: string, place: string, note?: string): never {
  throw new LutraError("bad-data", message, note === undefined ? { where: place } : { where: place, note });
}

/** The JSON of a value, cut to one short line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** Where a field stands, or the object itself without a name: "speech.json: inputs.mfcc.type". */
export function placeOf({ file, path }: Fields, name = ""): string {
  const full = [path, name].filter((part) => part !== "").join(".");
  return full === "" ? file : `${file}: ${full}`;
}

/** The outermost object of a file. @throws LutraError "bad-data" if it is not an object, or has members that are not among `allowed` */
export function topFields(value: unknown, file: string, allowed: readonly string[]): Fields {
  return toFields(value, { file, path: "", members: {} }, "", allowed);
}

function toFields(value: unknown, parent: Fields, name: string, allowed?: readonly string[]): Fields {
  const place = placeOf(parent, name);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(`must be an object, got ${shown(value)}`, place);
  }
  const path = parent.path === "" ? name : `${parent.path}.${name}`;
  const fields = { file: parent.file, path, members: value as Readonly<Record<string, unknown>> };
  if (allowed !== undefined) allowOnly(fields, allowed);
  return fields;
}

/** @throws LutraError "bad-data" if the object has a member that is not among `allowed` */
export function allowOnly(fields: Fields, allowed: readonly string[]): void {
  const unknown = Object.keys(fields.members).find((name) => !allowed.includes(name));
  if (unknown !== undefined) refuse(`unknown field "${unknown}"`, placeOf(fields), `fields: ${allowed.join(", ")}`);
}

export function has({ members }: Fields, name: string): boolean {
  return Object.hasOwn(members, name);
}

export function objectField(fields: Fields, name: string, allowed?: readonly string[]): Fields {
  return toFields(member(fields, name), fields, name, allowed);
}

function member(fields: Fields, name: string): unknown {
  return has(fields, name) ? fields.members[name] : refuse(`the field "${name}" is missing`, placeOf(fields));
}

export function stringField(fields: Fields, name: string): string {
  const value = member(fields, name);
  if (typeof value === "string" && value !== "") return value;
  return refuse(`must be a text that is not empty, got ${shown(value)}`, placeOf(fields, name));
}

export function choiceField<T extends string>(fields: Fields, name: string, choices: readonly T[]): T {
  const value = member(fields, name);
  const choice = choices.find((candidate) => candidate === value);
  return choice ?? refuse(`must be one of ${choices.join(", ")}, got ${shown(value)}`, placeOf(fields, name));
}

export function flagField(fields: Fields, name: string): boolean {
  const value = member(fields, name);
  return typeof value === "boolean"
    ? value
    : refuse(`must be true or false, got ${shown(value)}`, placeOf(fields, name));
}

export function numberField(fields: Fields, name: string): number {
  const value = member(fields, name);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(`must be a finite number, got ${shown(value)}`, placeOf(fields, name));
}

export function integerField(fields: Fields, name: string, min: number, max: number): number {
  const value = member(fields, name);
  return checkInteger(value, min, max, placeOf(fields, name));
}

function checkInteger(value: unknown, min: number, max: number, place: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(`must be a whole number between ${min} and ${max}, got ${shown(value)}`, place);
}

/** A list of up to `limit` items, each read by `read` at its own place. */
function listField<T>(
  fields: Fields,
  name: string,
  limit: number,
  read: (item: unknown, place: string) => T,
): readonly T[] {
  const value = member(fields, name);
  const place = placeOf(fields, name);
  if (!Array.isArray(value) || value.length === 0 || value.length > limit) {
    return refuse(`must be a list of 1 to ${limit} items, got ${shown(value)}`, place);
  }
  return value.map((item, i) => read(item, `${place}[${i}]`));
}

/** A list of whole numbers, for instance a shape. */
export function integersField(
  fields: Fields,
  name: string,
  limit: number,
  min: number,
  max: number,
): readonly number[] {
  return listField(fields, name, limit, (item, place) => checkInteger(item, min, max, place));
}

/** A list of texts, each one of `choices`; any texts if absent. */
export function stringsField<T extends string>(
  fields: Fields,
  name: string,
  limit: number,
  choices?: readonly T[],
): readonly T[] {
  return listField(fields, name, limit, (item, place) => {
    if (typeof item === "string" && (choices === undefined || choices.some((choice) => choice === item)))
      return item as T;
    return refuse(
      `must be ${choices === undefined ? "a text" : `one of ${choices.join(", ")}`}, got ${shown(item)}`,
      place,
    );
  });
}
