// How a module's run is called from JavaScript: which typed array each port is, how many numbers of it one call takes.

import { LutraError } from "../../base/index.ts";
import { LANE_ARRAYS } from "../../kernel/index.ts";
import { parameterName } from "../source/index.ts";
import type { EmittedModule, Port } from "../wasm/index.ts";

/** A port as the loader's text speaks of it. */
export interface ArrayPort {
  readonly name: string;
  readonly type: string;
  readonly over: Port["over"];
}

export interface Call {
  /** Of the files. */
  readonly name: string;
  readonly params: readonly ArrayPort[];
  /** The param whose length says how many numbers there are. */
  readonly longest: ArrayPort;
  readonly result: ArrayPort;
  readonly isOverRows: boolean;
  /** Longest row; null where any length will do. */
  readonly maxColumns: number | null;
  readonly scratchBytesPerColumn: number;
}

/**
 * @param modules the kernel in each of its forms
 * @throws LutraError "unsupported" for several results, one that is not per element, and integers of 64 bits
 */
export function callOf(name: string, modules: readonly EmittedModule[]): Call {
  const [{ params, results, isOverRows, maxColumns }] = modules as [EmittedModule];
  const ports = params.map((port) => ({ ...arrayPort(port), name: parameterName(port.name) }));
  const longest = ports.find(({ over }) => over === "element");
  const [result, ...others] = results.map(arrayPort);
  if (result?.over !== "element" || others.length > 0 || longest === undefined) {
    throw new LutraError("unsupported", "a loader is written for kernels with one result per element of an input");
  }
  const scratchBytesPerColumn = Math.max(...modules.map((module) => module.scratchBytesPerColumn));
  return { name, params: ports, longest, result, isOverRows, maxColumns, scratchBytesPerColumn };
}

function arrayPort({ name, lane, over }: Port): ArrayPort {
  if (lane === "i64") {
    throw new LutraError("unsupported", `"${name}" has integers of 64 bits, which no typed array of numbers holds`);
  }
  return { name, type: LANE_ARRAYS[lane].name, over };
}
