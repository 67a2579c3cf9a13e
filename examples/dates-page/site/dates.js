// What the model takes and gives: a text as ids, digits as a date. The model's own vocabulary; a test holds it against models/train.

/** How many ids the model was trained with: a text is cut off or padded to it. */
export const LENGTH = 40;

const PADDING = 0;
const UNKNOWN = 1;

/** The first has id 2. Upper and lower case are one. */
const CHARACTERS = " '(),-./0123456789abcdefghijklmnopqrstuvwxyzºáäåçéìöûąłśź一二三五六四土年日星月期木水火金년월일";
const IDS = new Map([...CHARACTERS].map((character, i) => [character, i + 2]));

/** @returns {Int32Array} of LENGTH ids */
export function encode(text) {
  const ids = [...text.normalize("NFC").toLowerCase()].map((character) => IDS.get(character) ?? UNKNOWN);
  return Int32Array.from({ length: LENGTH }, (_, i) => ids[i] ?? PADDING);
}

/**
 * @param {Float32Array} scores ten for each digit of YYYYMMDD
 * @returns the date as 2021-03-03, whether the calendar has it, and how sure the model is of each digit, 0 to 1
 */
export function decode(scores) {
  const digits = Array.from({ length: scores.length / 10 }, (_, i) => digitOf(scores.subarray(i * 10, (i + 1) * 10)));
  const iso = digits
    .map(({ digit }) => digit)
    .join("")
    .replace(/^(....)(..)(..)$/, "$1-$2-$3");
  return { iso, isDay: isDay(iso), sure: digits.map(({ sure }) => sure) };
}

/** The digit of the highest score, and its share in their Softmax. */
function digitOf(scores) {
  const highest = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
  return { digit: scores.indexOf(highest), sure: 1 / sum };
}

function isDay(iso) {
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(iso);
}
