// Parameters of methods: what a paper leaves open, beyond the problem and the seed. Plain JSON by name, so that a plan can record it.
// A method declares its own; nothing else is accepted, so that a misspelt name is an error and not a default.

import { LutraError } from "../base/index.ts";
import type { MethodOptions } from "./types.ts";

/** A whole number and its limits. */
export interface WholeNumber {
  readonly least: number;
  readonly greatest: number;
  readonly default: number;
}

/** By name: the words to choose from, the first the default; or a whole number. */
export type Parameters = Readonly<Record<string, readonly string[] | WholeNumber>>;

/** What a method gets: one of the words, or a number. */
export type Chosen<P extends Parameters> = {
  readonly [N in keyof P]: P[N] extends readonly (infer Word)[] ? Word : number;
};

/**
 * The parameters chosen, defaults filled in.
 * @throws LutraError "bad-argument" for a name that the method does not declare or a value that it does not take
 */
export function chosenParameters<const P extends Parameters>(
  { parameters: given = {} }: Pick<MethodOptions, "parameters">,
  declared: P,
): Chosen<P> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(declared, name));
  if (unknown !== undefined) {
    const names = Object.keys(declared);
    throw new LutraError("bad-argument", `the method has no parameter "${unknown}"`, {
      note: names.length === 0 ? "it has none" : `its parameters: ${names.join(", ")}`,
    });
  }
  const values = Object.entries(declared).map(([name, allowed]) => [name, chosenValue(name, allowed, given[name])]);
  return Object.fromEntries(values) as Chosen<P>;
}

function chosenValue(name: string, allowed: Parameters[string], given: string | number | undefined): string | number {
  if (!("least" in allowed)) {
    const word = given === undefined ? allowed[0] : allowed.find((one) => one === given);
    if (word !== undefined) return word;
    throw refused(name, `one of ${allowed.join(", ")}`, given);
  }
  const { least, greatest } = allowed;
  const value = given ?? allowed.default;
  if (typeof value === "number" && Number.isInteger(value) && least <= value && value <= greatest) return value;
  throw refused(name, `an integer from ${least} to ${greatest}`, value);
}

function refused(name: string, wanted: string, given: string | number | undefined): LutraError {
  return new LutraError("bad-argument", `the parameter "${name}" must be ${wanted}, got ${given}`);
}
