// Names: which functions there are, their rules, and which known name is nearest to an unknown one.

import { ACTIVATIONS } from "./rules/activations.ts";
import { ELEMENTARY } from "./rules/elementary.ts";
import { PIECEWISE } from "./rules/piecewise.ts";
import type { Rule } from "./rules/rule.ts";
import type { Shape } from "./shape.ts";

/** Every function with one argument that an expression can call. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({ ...ACTIVATIONS, ...ELEMENTARY, ...PIECEWISE }),
);

/** Functions of two or three arguments, by number of arguments. */
export const ARITY: Readonly<Record<string, number>> = { min: 2, max: 2, pow: 2, clamp: 3, where: 3 };

/** Helpers that no layer computes by themselves. */
const AUXILIARY: ReadonlySet<string> = new Set(["abs", "relu", "expm1", "log1p", "erfc"]);

/** The functions worth a table of their own, in the order of documentation. */
export function functionNames(): readonly string[] {
  return [...RULES.keys()].filter((name) => !AUXILIARY.has(name));
}

/** @throws RangeError for a name without a rule: the parser lets none through */
export function ruleOf(name: string): Rule {
  const rule = RULES.get(name);
  if (rule === undefined) throw new RangeError(`no function "${name}"`);
  return rule;
}

/** The Shape of a derivative of a named function, or null if that order is given as an expression. */
export function shapeOf(name: string, order: number): Shape | null {
  const rule = ruleOf(name);
  const derivative = order === 0 ? rule.shape : rule.derivatives[order - 1];
  return derivative === undefined || typeof derivative === "string" ? null : derivative;
}

/** The known name with the least edit distance, upper case and underscores forgiven. */
export function nearestName(text: string, names: readonly string[] = callable()): string {
  const wanted = text.toLowerCase().replaceAll("_", "-");
  const ranked = names.map((name) => ({ name, distance: editDistance(wanted, name) }));
  return ranked.reduce((best, each) => (each.distance < best.distance ? each : best)).name;
}

/** Every name that may stand before a parenthesis. */
export function callable(): readonly string[] {
  return [...RULES.keys(), ...Object.keys(ARITY)];
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
