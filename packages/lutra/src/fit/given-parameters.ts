// Parameters given to several methods at once: each takes those that it declares.

import { LutraError } from "../base/index.ts";
import { chosenParameters } from "./parameters.ts";
import { PARAMETERS } from "./solve.ts";
import type { MethodOptions } from "./types.ts";

export type GivenParameters = NonNullable<MethodOptions["parameters"]>;

/**
 * By method: its own among the parameters given.
 * @throws LutraError "bad-argument" for a parameter that none of the methods declares, or a value that one does not take
 */
export function parametersByMethod(
  methods: readonly string[],
  given: GivenParameters,
): ReadonlyMap<string, GivenParameters> {
  const unknown = Object.keys(given).find((name) => !methods.some((method) => declares(method, name)));
  if (unknown !== undefined) throw undeclared(unknown);
  return new Map(
    methods.map((method) => {
      const own = Object.fromEntries(Object.entries(given).filter(([name]) => declares(method, name)));
      chosenParameters({ parameters: own }, PARAMETERS[method] ?? {});
      return [method, own];
    }),
  );
}

function declares(method: string, parameter: string): boolean {
  return Object.hasOwn(PARAMETERS, method) && Object.hasOwn(PARAMETERS[method] ?? {}, parameter);
}

function undeclared(parameter: string): LutraError {
  const known = Object.entries(PARAMETERS).map(([method, own]) => `${method} (${Object.keys(own).join(", ")})`);
  return new LutraError("bad-argument", `none of the methods has a parameter "${parameter}"`, {
    note: `those that have any: ${known.join("; ")}`,
  });
}
