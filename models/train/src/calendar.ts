// Calendar dates and their ISO 8601 text. No form of writing but that one; see forms.ts.

export interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** First and last year that the model writes. */
export const YEARS = { first: 1900, last: 2099 } as const;

/** Years that two digits stand for: 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049. */
export const SHORT_YEARS = { first: 1950, last: 2049 } as const;

export function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

/** 0 for Sunday to 6 for Saturday, by Sakamoto's method. */
export function weekday({ year, month, day }: CalendarDate): number {
  const y = month < 3 ? year - 1 : year;
  const shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1];
  return (y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + shift + day) % 7;
}

/** 2021-03-03 */
export function toIso({ year, month, day }: CalendarDate): string {
  return `${year}-${padded(month)}-${padded(day)}`;
}

export function padded(number: number): string {
  return String(number).padStart(2, "0");
}
