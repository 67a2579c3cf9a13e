// Samples as the arrays that the model takes: ids, the mask of the padding, and the right digits.
import type { HostArray } from "./array.ts";
import { MAX_LENGTH, type Sample } from "./dates.ts";
import { DIGITS, MASKED } from "./shape.ts";
import { encode, PADDING } from "./vocabulary.ts";

/** YYYYMMDD */
export function digitsOf(iso: string): readonly number[] {
  return [...iso.replaceAll("-", "")].map(Number);
}

/** int32 [batch, MAX_LENGTH] */
export function idsOf(texts: readonly string[]): HostArray<Int32Array> {
  return { shape: [texts.length, MAX_LENGTH], data: Int32Array.from(texts.flatMap(encode)) };
}

/** [batch, 1, 1, DIGITS + length]: 0, or MASKED where the ids are padding. */
export function maskOf({ shape: [batch, length], data }: HostArray<Int32Array>): HostArray {
  const tokens = DIGITS + length;
  const mask = new Float32Array(batch * tokens);
  data.forEach((id, i) => {
    if (id === PADDING) mask[Math.floor(i / length) * tokens + DIGITS + (i % length)] = MASKED;
  });
  return { shape: [batch, 1, 1, tokens], data: mask };
}

/** [batch, DIGITS, 10]: 1 at the right digit, 0 elsewhere. */
export function targetsOf(samples: readonly Sample[]): HostArray {
  const data = new Float32Array(samples.length * DIGITS * 10);
  const digits = samples.flatMap(({ iso }) => digitsOf(iso));
  digits.forEach((digit, i) => {
    data[i * 10 + digit] = 1;
  });
  return { shape: [samples.length, DIGITS, 10], data };
}

/** The dates that logits [batch, DIGITS, 10] stand for, as 2021-03-03. */
export function answersOf(logits: Float32Array): readonly string[] {
  const digits = Array.from({ length: logits.length / 10 }, (_, i) => {
    const scores = logits.subarray(i * 10, (i + 1) * 10);
    return scores.indexOf(Math.max(...scores));
  });
  return Array.from({ length: digits.length / DIGITS }, (_, i) =>
    digits
      .slice(i * DIGITS, (i + 1) * DIGITS)
      .join("")
      .replace(/^(....)(..)(..)$/, "$1-$2-$3"),
  );
}
