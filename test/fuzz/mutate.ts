// Seeded mutations: of bytes, for files; of text; of JSON values, which stay JSON and so get past the parser to the checks behind it.

import type { Json } from "../../packages/lutra/src/base/index.ts";
import type { Random } from "../../packages/lutra/src/num/index.ts";

/** Bytes that formats give a meaning. */
const TELLING = [0, 1, 2, 8, 0x0a, 0x22, 0x27, 0x28, 0x2c, 0x2d, 0x39, 0x5b, 0x7b, 0x7f, 0x80, 0xff];

/** One to four edits: cut off, repeat, insert, overwrite. */
export function mutateBytes(original: Uint8Array, draw: Random): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let round = draw.below(4); round >= 0; round--) {
    const at = draw.below(bytes.length + 1);
    const choice = draw.below(8);
    if (choice === 0) bytes = bytes.slice(0, at);
    else if (choice === 1) bytes = joined(bytes.subarray(0, at), bytes.subarray(draw.below(at + 1)));
    else if (choice === 2) bytes = joined(bytes.subarray(0, at), Uint8Array.of(draw.below(256)), bytes.subarray(at));
    else if (choice === 3) bytes.fill(0xff, at, at + 4);
    else if (at < bytes.length) bytes[at] = choice < 6 ? draw.below(256) : pick(TELLING, draw);
  }
  return bytes;
}

/** One to four edits: a piece is left out, repeated, or a word is put in. */
export function mutateText(original: string, words: readonly string[], draw: Random): string {
  let text = original;
  for (let round = draw.below(4); round >= 0; round--) {
    const at = draw.below(text.length + 1);
    const end = at + draw.below(Math.min(6, text.length - at) + 1);
    const choice = draw.below(4);
    if (choice === 0) text = text.slice(0, at) + text.slice(end);
    else if (choice === 1) text = text.slice(0, end) + text.slice(at);
    else text = text.slice(0, at) + pick(words, draw) + text.slice(choice === 2 ? at : end);
  }
  return text;
}

/** Values that a field's check may have forgotten. */
const ODD: readonly Json[] = [
  ...[0, -0, 1, -1, 2, 0.1, 7.5, 31, 32, 255, 256, 65536, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, 1e-320],
  ...[Infinity, -Infinity, true, false, null, "", "x", "constructor", "__proto__", "../..", [], [[]], [null], {}],
];

/** One to three edits, each at a random place: another value, a value from elsewhere, a member or element gone or repeated. */
export function mutateJson(original: Json, draw: Random): Json {
  let json = original;
  for (let round = draw.below(3); round >= 0; round--) json = editJson(json, json, draw);
  return json;
}

function editJson(json: Json, whole: Json, draw: Random): Json {
  if (!isContainer(json)) return replacement(json, whole, draw);
  if (draw.below(12) === 0) return pick(ODD, draw);
  const entries = Object.entries(json);
  const at = draw.below(entries.length + 1);
  const choice = draw.below(8);
  const [key, member] = entries[at] ?? ["x", pick(ODD, draw)];
  if (at === entries.length) entries.push([key, member]);
  else if (choice === 0) entries.splice(at, 1);
  else if (choice === 1) entries.splice(at, 0, [`${key}x`, member]);
  else entries[at] = [key, editJson(member, whole, draw)];
  return Array.isArray(json) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

function replacement(json: Json, whole: Json, draw: Random): Json {
  const choice = draw.below(4);
  if (typeof json === "number" && choice === 0) return json + draw.below(5) - 2;
  if (typeof json === "number" && choice === 1) return json * 2 ** (draw.below(41) - 20);
  return choice === 2 ? somewhere(whole, draw) : pick(ODD, draw);
}

/** Some value inside, found by a random descent. */
function somewhere(json: Json, draw: Random): Json {
  if (!isContainer(json) || draw.below(4) === 0) return json;
  const members = Object.values(json);
  return members.length === 0 ? json : somewhere(pick(members, draw), draw);
}

function isContainer(json: Json): json is readonly Json[] | { readonly [key: string]: Json } {
  return json !== null && typeof json === "object";
}

export function pick<T>(from: readonly T[], draw: Random): T {
  return from[draw.below(from.length)] as T;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
