// The forms in which the demo's generator writes a date, each with a name, so that accuracy can be told per form.
// Numeric forms keep one rule: a number of four digits is the year; slashes put the month first unless that number is above
// 12, dots, hyphens and spaces put the day first; two digits of a year are 1950 to 2049.
import type { Random } from "lutra";
import { type CalendarDate, padded, SHORT_YEARS, toIso, weekday, YEARS } from "./calendar.ts";
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
} from "./languages.ts";

export interface Form {
  readonly name: string;
  readonly years: { readonly first: number; readonly last: number };
  readonly firstDay: number;
  /** One of the form's spellings, chosen by the generator of random numbers. */
  readonly write: (date: CalendarDate, random: Random) => string;
}

type Write = Form["write"];

function form(name: string, write: Write): Form {
  return { name, years: YEARS, firstDay: 1, write };
}

function shortForm(name: string, write: Write): Form {
  return { name, years: SHORT_YEARS, firstDay: 1, write };
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)];
}

function chance(random: Random, share: number): boolean {
  return random.uniform() < share;
}

function shortYear({ year }: CalendarDate): string {
  return padded(year % 100);
}

/** Day and month with leading zeros, or both without. */
function numbers({ month, day }: CalendarDate, random: Random): { readonly d: string; readonly m: string } {
  return chance(random, 0.5) ? { d: padded(day), m: padded(month) } : { d: String(day), m: String(month) };
}

const NUMERIC: readonly Form[] = [
  form("ISO", (date) => toIso(date)),
  form("compact", (date) => toIso(date).replaceAll("-", "")),
  form("year first, slashes", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${date.year}/${m}/${d}`;
  }),
  form("year first, dots", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${date.year}.${m}.${d}`;
  }),
  form("slashes", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${m}/${d}/${date.year}`;
  }),
  shortForm("slashes, short year", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${m}/${d}/${shortYear(date)}`;
  }),
  {
    name: "slashes, day above 12 first",
    years: SHORT_YEARS,
    firstDay: 13,
    write: (date, random) => {
      const { d, m } = numbers(date, random);
      return `${d}/${m}/${chance(random, 0.5) ? date.year : shortYear(date)}`;
    },
  },
  form("dots", (date, random) => {
    const { d, m } = numbers(date, random);
    const dot = chance(random, 0.8) ? "." : ". ";
    return `${d}${dot}${m}${dot}${date.year}`;
  }),
  shortForm("dots, short year", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${d}.${m}.${shortYear(date)}`;
  }),
  form("hyphens or spaces", (date, random) => {
    const { d, m } = numbers(date, random);
    return [d, m, date.year].join(chance(random, 0.7) ? "-" : " ");
  }),
];

function ordinal(day: number): string {
  const isTeen = day >= 11 && day <= 13;
  return `${day}${isTeen ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th")}`;
}

function month(language: Language, date: CalendarDate): string {
  return language.months[date.month - 1];
}

function abbreviation(language: Language, date: CalendarDate): string {
  return language.abbreviations[date.month - 1];
}

function englishAbbreviation(date: CalendarDate, random: Random): string {
  return abbreviation(ENGLISH, date) + (chance(random, 0.2) && date.month !== 5 ? "." : "");
}

const ENGLISH_FORMS: readonly Form[] = [
  form("English, day first", (date, random) => {
    const day = chance(random, 0.5) ? ordinal(date.day) : date.day;
    return `${day} ${month(ENGLISH, date)} ${date.year}`;
  }),
  form("English, day of month", (date, random) => {
    const article = chance(random, 0.4) ? "the " : "";
    const comma = chance(random, 0.3) ? "," : "";
    return `${article}${ordinal(date.day)} of ${month(ENGLISH, date)}${comma} ${date.year}`;
  }),
  form("English, month first", (date, random) => {
    const day = chance(random, 0.3) ? ordinal(date.day) : date.day;
    return `${month(ENGLISH, date)} ${day}${chance(random, 0.8) ? "," : ""} ${date.year}`;
  }),
  form("English, abbreviated", (date, random) => {
    const name = englishAbbreviation(date, random);
    return chance(random, 0.5) ? `${name} ${date.day}, ${date.year}` : `${date.day} ${name} ${date.year}`;
  }),
  shortForm("English, short year", (date, random) => {
    const name = englishAbbreviation(date, random);
    const year = `'${shortYear(date)}`;
    return chance(random, 0.5) ? `${name} ${date.day}, ${year}` : `${date.day} ${name} ${year}`;
  }),
  form("English, hyphens", (date) => `${padded(date.day)}-${abbreviation(ENGLISH, date)}-${date.year}`),
  form("English, year first", (date, random) => {
    const name = chance(random, 0.5) ? month(ENGLISH, date) : abbreviation(ENGLISH, date);
    return `${date.year} ${name} ${date.day}`;
  }),
  form("English, weekday", (date, random) => {
    const day = ENGLISH.weekdays[weekday(date)];
    const name = month(ENGLISH, date);
    if (chance(random, 0.3)) return `${day.slice(0, 3)}, ${date.day} ${abbreviation(ENGLISH, date)} ${date.year}`;
    return chance(random, 0.5)
      ? `${day}, ${name} ${date.day}, ${date.year}`
      : `${day} ${ordinal(date.day)} ${name} ${date.year}`;
  }),
];

/** A language that writes day, month, year: with or without article and weekday. `write` gets the word for the day. */
function dayFirst(language: Language, article: string, write: Write): Form {
  return form(language.name, (date, random) => {
    const text = write(date, random);
    if (chance(random, 0.35)) return `${language.weekdays[weekday(date)]}${pick(random, [" ", ", "])}${text}`;
    return chance(random, 0.3) ? article + text : text;
  });
}

function plain(language: Language): Write {
  return (date) => `${date.day} ${month(language, date)} ${date.year}`;
}

const OTHER_LANGUAGES: readonly Language[] = [GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH, PORTUGUESE, SWEDISH, POLISH];

const LANGUAGE_FORMS: readonly Form[] = [
  dayFirst(GERMAN, "den ", (date) => `${date.day}. ${month(GERMAN, date)} ${date.year}`),
  dayFirst(FRENCH, "le ", (date) => `${date.day === 1 ? "1er" : date.day} ${month(FRENCH, date)} ${date.year}`),
  dayFirst(SPANISH, "el ", (date) => `${date.day} de ${month(SPANISH, date)} de ${date.year}`),
  dayFirst(ITALIAN, "il ", (date) => `${date.day === 1 ? "1º" : date.day} ${month(ITALIAN, date)} ${date.year}`),
  dayFirst(DUTCH, "op ", plain(DUTCH)),
  dayFirst(PORTUGUESE, "em ", (date) => `${date.day} de ${month(PORTUGUESE, date)} de ${date.year}`),
  dayFirst(SWEDISH, "den ", plain(SWEDISH)),
  dayFirst(POLISH, "dnia ", (date) => `${date.day} ${month(POLISH, date)} ${date.year} r.`),
  form("other languages, abbreviated", (date, random) => {
    const language = pick(random, OTHER_LANGUAGES);
    const dot = language === GERMAN ? "." : "";
    return `${date.day}${dot} ${abbreviation(language, date)} ${date.year}`;
  }),
];

const EAST_ASIAN_FORMS: readonly Form[] = [
  form("Chinese", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${date.year}年${m}月${d}日${chance(random, 0.3) ? ` 星期${"日一二三四五六"[weekday(date)]}` : ""}`;
  }),
  form("Japanese", (date, random) => {
    const { d, m } = numbers(date, random);
    return `${date.year}年${m}月${d}日${chance(random, 0.5) ? `(${"日月火水木金土"[weekday(date)]})` : ""}`;
  }),
  form("Korean", (date) => `${date.year}년 ${date.month}월 ${date.day}일`),
];

export const FORMS: readonly Form[] = [...NUMERIC, ...ENGLISH_FORMS, ...LANGUAGE_FORMS, ...EAST_ASIAN_FORMS];
