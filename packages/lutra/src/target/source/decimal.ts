// Binary32 constants as text that every compiler reads back to the same bits.

/** How near to the number a text must be, relatively: a quarter of an ulp at least, so that no reader rounds it to a neighbour. */
const CLOSE = 2 ** -26;

/** The shortest decimal text of a finite binary32 value, of at most 9 digits. */
export function decimal32(x: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = x.toPrecision(digits);
    if (Math.fround(Number(text)) === x && Math.abs(Number(text) - x) <= Math.abs(x) * CLOSE) return plain(text);
  }
  return plain(x.toPrecision(9));
}

/** Without zeros at the end of a fraction. */
function plain(text: string): string {
  return text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");
}
