// The answers to all codes of 8 bits as short lines that begin with a whole answer, which SIMD computes 16 at a time from tables in registers:
//   answer(width i + j) = bases[i] + floor(slopes[i] j / 2^shift) + (1 where raised),   j = 0, 1, ... width - 1.
// Exact, or not found. Only the answers count, not how the kernel came by them. Codes are in the order of their bit patterns.

export interface CodeLines {
  /** Codes of one line. */
  readonly width: 8 | 16;
  readonly shift: number;
  /** In 8 bits with a sign; 256 / width of them, as of the bases. */
  readonly slopes: readonly number[];
  readonly bases: readonly number[];
  /** The codes whose answer is 1 above their line; null if there are none. */
  readonly raised: readonly boolean[] | null;
}

const CODES = 256;
const LEAST_SLOPE = -128;
const GREATEST_SLOPE = 127;
/** The steepest lines rise by 127 from code to code. */
const MOST_SHIFT = 7;

interface Line {
  readonly slope: number;
  readonly base: number;
}

/** Codes of a line, and by how much an answer may be above its line. */
export type LineKind = readonly [width: 8 | 16, raise: 0 | 1];

/**
 * All kinds, the cheapest first: few functions are lines of 16 codes exactly, most smooth ones are with some answers raised, and lines of 8
 * codes follow steeper bends.
 */
export const LINE_KINDS: readonly LineKind[] = [
  [16, 0],
  [8, 0],
  [16, 1],
  [8, 1],
];

/**
 * Lines of the first kind that gives these answers; null if none does.
 * @param answers integers to the bit patterns 0 to 255
 */
export function codeLines(answers: ArrayLike<number>, kinds: readonly LineKind[]): CodeLines | null {
  for (const kind of kinds) {
    const lines = linesOf(answers, kind);
    if (lines !== null) return lines;
  }
  return null;
}

function linesOf(answers: ArrayLike<number>, [width, raise]: LineKind): CodeLines | null {
  for (let shift = MOST_SHIFT; shift >= 0; shift--) {
    const lines: Line[] = [];
    for (let first = 0; first < CODES; first += width) {
      const line = lineUnder(answers, { first, width, shift, raise });
      if (line === null) break;
      lines.push(line);
    }
    if (lines.length * width < CODES) continue;
    const isRaised = (code: number): boolean => {
      const { slope, base } = lines[Math.floor(code / width)] as Line;
      return (answers[code] as number) > base + ((slope * (code % width)) >> shift);
    };
    return {
      width,
      shift,
      slopes: lines.map(({ slope }) => slope),
      bases: lines.map(({ base }) => base),
      raised: raise === 0 ? null : Array.from({ length: CODES }, (_, code) => isRaised(code)),
    };
  }
  return null;
}

interface Stretch {
  readonly first: number;
  readonly width: number;
  readonly shift: number;
  readonly raise: number;
}

/** A line with all answers on it or above by at most `raise`: its base is the least of what the first such slope leaves. */
function lineUnder(answers: ArrayLike<number>, { first, width, shift, raise }: Stretch): Line | null {
  // Other slopes leave some answer more than `raise` from the first.
  let from = LEAST_SLOPE;
  let to = GREATEST_SLOPE;
  for (let j = 1; j < width && from <= to; j++) {
    const rise = (answers[first + j] as number) - (answers[first] as number);
    from = Math.max(from, Math.ceil(((rise - raise) * 2 ** shift) / j));
    to = Math.min(to, Math.floor(((rise + raise + 1) * 2 ** shift - 1) / j));
  }
  for (let slope = from; slope <= to; slope++) {
    let least = answers[first] as number;
    let greatest = least;
    for (let j = 1; j < width && greatest - least <= raise; j++) {
      const rest = (answers[first + j] as number) - ((slope * j) >> shift);
      least = Math.min(least, rest);
      greatest = Math.max(greatest, rest);
    }
    if (greatest - least <= raise) return { slope, base: least };
  }
  return null;
}
