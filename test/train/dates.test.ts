// The generator of dates: what each form writes means the date it claims, read back by a parser that knows the forms' rules but
// not their code, with the names of months from ICU.
import { describe, expect, it } from "vitest";
import { daysIn, toIso, weekday } from "../../models/train/src/calendar.ts";
import { distinctSamples, MAX_LENGTH, type Sample, samples, splitOf } from "../../models/train/src/dates.ts";
import { FORMS } from "../../models/train/src/forms.ts";
import {
  DUTCH,
  ENGLISH,
  FRENCH,
  GERMAN,
  ITALIAN,
  type Language,
  POLISH,
  PORTUGUESE,
  SPANISH,
  SWEDISH,
} from "../../models/train/src/languages.ts";
import { encode } from "../../models/train/src/vocabulary.ts";

const LANGUAGES: readonly (readonly [locale: string, language: Language])[] = [
  ["en", ENGLISH],
  ["de", GERMAN],
  ["fr", FRENCH],
  ["es", SPANISH],
  ["it", ITALIAN],
  ["nl", DUTCH],
  ["pt", PORTUGUESE],
  ["sv", SWEDISH],
  ["pl", POLISH],
];

/** The word of a date's part as the locale writes it beside a day. */
function word(locale: string, part: "month" | "weekday", date: Date): string {
  const format = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", weekday: "long", timeZone: "UTC" });
  return format.formatToParts(date).find(({ type }) => type === part)?.value ?? "";
}

function monthOf(locale: string, month: number): string {
  return word(locale, "month", new Date(Date.UTC(2021, month, 1)));
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC");
}

const MONTHS: ReadonlyMap<string, number> = new Map(
  LANGUAGES.flatMap(([locale, { abbreviations }]) =>
    Array.from({ length: 12 }, (_, month): [string, number][] => [
      [plain(monthOf(locale, month)), month + 1],
      [plain(abbreviations[month]).replace(".", ""), month + 1],
    ]).flat(),
  ),
);

/** The stated rules, written once more: four digits are the year; a name is the month; else the order is the separator's. */
function parse(text: string): string {
  const compact = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  if (compact !== null) return `${compact[1]}-${compact[2]}-${compact[3]}`;
  const month = (plain(text).match(/\p{Script=Latin}+/gu) ?? []).flatMap((name) => MONTHS.get(name) ?? [])[0];
  const digits: readonly string[] = text.match(/\d+/g) ?? [];
  const numbers = digits.map(Number);
  const fullYear = (year: number): number => (year >= 100 ? year : year < 50 ? 2000 + year : 1900 + year);
  if (month !== undefined) {
    const [day, year] = digits[0].length === 4 ? [numbers[1], numbers[0]] : numbers;
    return toIso({ year: fullYear(year), month, day });
  }
  if (digits[0].length === 4) return toIso({ year: numbers[0], month: numbers[1], day: numbers[2] });
  const [a, b, year] = numbers;
  const isMonthFirst = text.includes("/") && a <= 12;
  return toIso({ year: fullYear(year), month: isMonthFirst ? a : b, day: isMonthFirst ? b : a });
}

describe("the forms", () => {
  const generated = samples("train", 30_000, 11);
  const byForm = new Map<string, Sample[]>();
  for (const sample of generated) byForm.set(sample.form, [...(byForm.get(sample.form) ?? []), sample]);

  it.each(FORMS.map(({ name }) => name))("%s: means the date it claims", (name) => {
    const own = byForm.get(name) ?? [];
    expect(own.length).toBeGreaterThan(300);
    for (const { text, iso } of own) expect(parse(text), text).toBe(iso);
  });

  it("have names of their own", () => {
    expect(new Set(FORMS.map(({ name }) => name)).size).toBe(FORMS.length);
  });

  it("write no character that the vocabulary lacks, and no text that is too long", () => {
    for (const { text } of generated) {
      expect([...text].length, text).toBeLessThanOrEqual(MAX_LENGTH);
      expect(encode(text), text).not.toContain(1);
    }
  });

  it("reach every day of a leap year's February", () => {
    expect(generated.some(({ iso }) => iso.endsWith("-02-29"))).toBe(true);
    expect(generated.some(({ iso }) => iso === "1900-02-29")).toBe(false);
  });
});

describe("the languages", () => {
  it.each(LANGUAGES)("%s: months and weekdays are those of ICU", (locale, { months, weekdays }) => {
    const days = Array.from({ length: 7 }, (_, day) => new Date(Date.UTC(2021, 7, 1 + day))); // a Sunday first
    expect(months.map(plain)).toEqual(months.map((_, month) => plain(monthOf(locale, month))));
    expect(weekdays.map(plain)).toEqual(days.map((date) => plain(word(locale, "weekday", date))));
  });

  it.each(LANGUAGES)("%s: an abbreviation begins its month", (_locale, { months, abbreviations }) => {
    abbreviations.forEach((short, i) => {
      if (short !== "mrt.") expect(months[i].startsWith(short.replace(".", "")), short).toBe(true);
    });
  });
});

describe("the calendar", () => {
  it("has the days of every month and the weekdays of every day of 1900 to 2099", () => {
    for (let year = 1900; year < 2100; year++) {
      for (let month = 1; month <= 12; month++) {
        const last = new Date(Date.UTC(year, month, 0));
        expect(daysIn(year, month)).toBe(last.getUTCDate());
        expect(weekday({ year, month, day: last.getUTCDate() })).toBe(last.getUTCDay());
      }
    }
  });
});

describe("the splits", () => {
  it("give the same samples for the same seed, and others for another", () => {
    expect(samples("train", 50, 1)).toEqual(samples("train", 50, 1));
    expect(samples("train", 50, 2)).not.toEqual(samples("train", 50, 1));
  });

  it("keep every text in one split, whatever its case", () => {
    for (const split of ["train", "validation", "demo", "test"] as const)
      for (const { text } of samples(split, 200, 3)) {
        expect(splitOf(text)).toBe(split);
        expect(splitOf(text.toUpperCase().toLowerCase())).toBe(split);
      }
  });

  it("share out texts as they say: 13 of 16 for training", () => {
    const all = samples("train", 4000, 5).map(({ text }) => splitOf(`${text} `));
    expect(all.filter((split) => split === "train").length / all.length).toBeCloseTo(13 / 16, 1);
  });

  it("have distinct texts where that is asked for", () => {
    const texts = distinctSamples("demo", 2000, 1).map(({ text }) => text.toLowerCase());
    expect(new Set(texts).size).toBe(2000);
  });
});
