// Samples of the demo's task: a date written in one of the forms, and the date it means. Everything follows from a seed.
// A text belongs to one split by its hash, so no text of one split occurs in another, whatever the seeds and sizes.
import { type Random, random } from "lutra";
import { type CalendarDate, daysIn, toIso } from "./calendar.ts";
import { FORMS, pick } from "./forms.ts";

export interface Sample {
  readonly text: string;
  /** 2021-03-03 */
  readonly iso: string;
  /** Name of the form. */
  readonly form: string;
}

/** train: the stream that the weights are fitted to; validation: watched during training; demo: what `npm start` compiles with; test: the accuracy that is told. */
export type SampleSplit = "train" | "validation" | "demo" | "test";

/** Longest text in characters. */
export const MAX_LENGTH = 40;

/** Of 16 equal shares of all texts: one each for validation, demo and test. */
const SHARES: readonly SampleSplit[] = ["validation", "demo", "test"];

/** The split of a text. Upper and lower case are one text, as they are for the model. */
export function splitOf(text: string): SampleSplit {
  return SHARES[hash(text.toLowerCase()) % 16] ?? "train";
}

/** FNV-1a over UTF-16 units, its bits mixed once more (murmur3's finalizer), because FNV's low bits are weak. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** `count` samples of a split, each form equally often on average. Texts may repeat. */
export function samples(split: SampleSplit, count: number, seed: number): readonly Sample[] {
  const source = random(seed);
  return Array.from({ length: count }, () => nextSample(split, source));
}

/** `count` samples of a split whose texts all differ. */
export function distinctSamples(split: SampleSplit, count: number, seed: number): readonly Sample[] {
  const source = random(seed);
  const seen = new Map<string, Sample>();
  while (seen.size < count) {
    const sample = nextSample(split, source);
    seen.set(sample.text.toLowerCase(), sample);
  }
  return [...seen.values()];
}

function nextSample(split: SampleSplit, source: Random): Sample {
  for (;;) {
    const form = pick(source, FORMS);
    const date = anyDate(source, form.years, form.firstDay);
    const text = respell(form.write(date, source), source);
    if (splitOf(text) === split) return { text, iso: toIso(date), form: form.name };
  }
}

function anyDate(source: Random, years: { first: number; last: number }, firstDay: number): CalendarDate {
  const year = years.first + source.below(years.last - years.first + 1);
  const month = 1 + source.below(12);
  return { year, month, day: firstDay + source.below(daysIn(year, month) - firstDay + 1) };
}

/** As people type: sometimes all capitals, all small, or without accents. */
function respell(text: string, source: Random): string {
  const unaccented = source.uniform() < 0.1 ? text.normalize("NFD").replace(/[\u0300-\u036f]/g, "") : text;
  const composed = unaccented.normalize("NFC");
  const choice = source.uniform();
  if (choice < 0.1) return composed.toUpperCase();
  return choice < 0.25 ? composed.toLowerCase() : composed;
}
