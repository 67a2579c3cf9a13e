// Arithmetic with sizes that a run decides: polynomials in named sizes with integer coefficients. What exporters compute about shapes.

import type { Size } from "./types.ts";

/** Factors by their product of names, sorted and joined: 3 batch sequence is "batch*sequence" -> 3. No factor is 0. */
export type Polynomial = ReadonlyMap<string, number>;

export function numberOf(polynomial: Polynomial): number | null {
  if (polynomial.size === 0) return 0;
  return polynomial.size === 1 ? (polynomial.get("") ?? null) : null;
}

export function fromNumber(x: number): Polynomial {
  return new Map(x === 0 ? [] : [["", x]]);
}

export function fromName(name: string): Polynomial {
  return new Map([[name, 1]]);
}

export function plus(a: Polynomial, b: Polynomial, sign: 1 | -1 = 1): Polynomial {
  const sum = new Map(a);
  for (const [names, factor] of b) sum.set(names, (sum.get(names) ?? 0) + sign * factor);
  return new Map([...sum].filter(([, factor]) => factor !== 0));
}

export function times(a: Polynomial, b: Polynomial): Polynomial {
  let sum: Polynomial = new Map();
  for (const [left, x] of a) {
    for (const [right, y] of b) {
      const names = [left, right].flatMap((text) => (text === "" ? [] : text.split("*"))).sort();
      sum = plus(sum, new Map([[names.join("*"), x * y]]));
    }
  }
  return sum;
}

/** a / b where that is a polynomial: b one term. Null otherwise. */
export function over(a: Polynomial, b: Polynomial): Polynomial | null {
  const [term, ...others] = b;
  if (term === undefined || others.length > 0) return null;
  const [names, factor] = term;
  const quotient = new Map<string, number>();
  for (const [left, x] of a) {
    const rest = left === "" ? [] : left.split("*");
    for (const name of names === "" ? [] : names.split("*")) {
      const at = rest.indexOf(name);
      if (at < 0) return null;
      rest.splice(at, 1);
    }
    if (!Number.isInteger(x / factor)) return null;
    quotient.set(rest.join("*"), x / factor);
  }
  return quotient;
}

export function areSame(a: Polynomial, b: Polynomial): boolean {
  return plus(a, b, -1).size === 0;
}

/** @throws RangeError if a factor is negative: no program has such a size */
export function toSize(polynomial: Polynomial): Size {
  const terms = [...polynomial].map(([names, factor]): Size => {
    if (factor < 0) throw new RangeError(`a size may not subtract: ${factor} ${names}`);
    const parts: Size[] = [
      ...(factor === 1 && names !== "" ? [] : [factor]),
      ...(names === "" ? [] : names.split("*")),
    ];
    return parts.length === 1 ? (parts[0] as Size) : { op: "mul", args: parts };
  });
  if (terms.length === 0) return 0;
  return terms.length === 1 ? (terms[0] as Size) : { op: "add", args: terms };
}
