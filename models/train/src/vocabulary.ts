// The model's vocabulary and how a text becomes ids. Upper and lower case share an id, as do no other characters.
import { MAX_LENGTH } from "./dates.ts";

export const PADDING = 0;
const UNKNOWN = 1;

/** Every character that a form may write, in lower case; the first has id 2. */
const CHARACTERS: string =
  " '(),-./0123456789abcdefghijklmnopqrstuvwxyzºáäåçéìöûąłśź" + "一三二五六四土年日星月期木水火金년월일";

/** Ids of the vocabulary. */
export const VOCABULARY_SIZE: number = 2 + [...CHARACTERS].length;

const IDS: ReadonlyMap<string, number> = new Map([...CHARACTERS].map((character, i) => [character, i + 2]));

/** Ids of a text, padded with 0 to MAX_LENGTH; what is longer is cut off. */
export function encode(text: string): readonly number[] {
  const ids = [...text.normalize("NFC").toLowerCase()].map((character) => IDS.get(character) ?? UNKNOWN);
  return Array.from({ length: MAX_LENGTH }, (_, i) => ids[i] ?? PADDING);
}
