// A small language for subgraphs: what rules.ts is written in and match.ts searches for. Products and sums mean any nesting, order and
// spelling of them, with all constants gathered into one number. Plain data; nothing here knows a graph.

export type Pattern =
  /** Any binary32 value that is not constant; the same name is the same value everywhere in the pattern. */
  | { readonly is: "value"; readonly name: string }
  /** A constant tensor, such as a norm's gamma. */
  | { readonly is: "parameter"; readonly name: string }
  /** A node of the default domain with these inputs, and attributes as asked for. */
  | {
      readonly is: "operator";
      readonly type: string;
      readonly inputs: readonly Pattern[];
      readonly attributes: Readonly<Record<string, number>>;
    }
  /** A constant of this value, to the relative tolerance of match.ts, or below it where asked for. */
  | { readonly is: "constant"; readonly value: number; readonly orBelow: boolean }
  /** ReduceMean, ReduceSum or ReduceMax; all reductions of a pattern run along the same axes. */
  | { readonly is: "reduce"; readonly type: string; readonly of: Pattern }
  /** All parts multiplied (or divided by, where inverted) and times the constant; or added up, plus the constant. */
  | {
      readonly is: "product" | "sum";
      readonly parts: readonly Part[];
      /** A number, or the name under which the number found is reported. */
      readonly constant: number | string;
    }
  | { readonly is: "either"; readonly patterns: readonly Pattern[] }
  /** A subpattern that occurs several times: the same value each time, or a copy that computes the same. */
  | { readonly is: "named"; readonly name: string; readonly pattern: Pattern };

/** A factor or divisor of a product, a term or subtrahend of a sum. */
export interface Part {
  readonly pattern: Pattern;
  readonly inverted: boolean;
}

export const value = (name: string): Pattern => ({ is: "value", name });
export const parameter = (name: string): Pattern => ({ is: "parameter", name });
export const constant = (number: number): Pattern => ({ is: "constant", value: number, orBelow: false });
export const atMost = (number: number): Pattern => ({ is: "constant", value: number, orBelow: true });
export const operator = (
  type: string,
  inputs: readonly Pattern[],
  attributes: Readonly<Record<string, number>> = {},
): Pattern => ({ is: "operator", type, inputs, attributes });
export const reduce = (type: "ReduceMean" | "ReduceSum" | "ReduceMax", of: Pattern): Pattern => ({
  is: "reduce",
  type,
  of,
});
export const either = (...patterns: readonly Pattern[]): Pattern => ({ is: "either", patterns });
export const named = (name: string, pattern: Pattern): Pattern => ({ is: "named", name, pattern });
/** A divisor in a product. */
export const over = (pattern: Pattern): Part => ({ pattern, inverted: true });
/** A subtrahend in a sum. */
export const minus = (pattern: Pattern): Part => ({ pattern, inverted: true });
export const product = (parts: readonly (Pattern | Part)[], factor: number | string = 1): Pattern => ({
  is: "product",
  parts: parts.map(asPart),
  constant: factor,
});
export const sum = (parts: readonly (Pattern | Part)[], summand: number | string = 0): Pattern => ({
  is: "sum",
  parts: parts.map(asPart),
  constant: summand,
});

function asPart(part: Pattern | Part): Part {
  return "is" in part ? { pattern: part, inverted: false } : part;
}

/** Whether all that a pattern takes from the data goes through a reduction: it has one number per row. */
export function isPerRow(pattern: Pattern): boolean {
  const known = perRow.get(pattern);
  if (known !== undefined) return known;
  const answer = decidePerRow(pattern);
  perRow.set(pattern, answer);
  return answer;
}

const perRow = new WeakMap<Pattern, boolean>();

function decidePerRow(pattern: Pattern): boolean {
  switch (pattern.is) {
    case "reduce":
    case "constant":
      return true;
    case "value":
    case "parameter":
      return false;
    case "operator":
      return pattern.inputs.every(isPerRow);
    case "product":
    case "sum":
      return pattern.parts.every((part) => isPerRow(part.pattern));
    case "either":
      return pattern.patterns.every(isPerRow);
    case "named":
      return isPerRow(pattern.pattern);
    default:
      return pattern satisfies never;
  }
}
