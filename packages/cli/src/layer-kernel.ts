// The kernel that table files make: one table alone, or a layer of a row whose holes they fill by their functions. A layer of codes needs
// none: its few answers are all listed.

import {
  elementwise,
  fill,
  finish,
  type Hole,
  holes,
  type Kernel,
  LutraError,
  layerFor,
  parseFormat,
  planProblem,
  softmaxCodes,
  solve,
  type Table,
} from "lutra";
import type { LayerOptions } from "./emit-options.ts";

export interface NamedTable {
  readonly file: string;
  readonly table: Table;
}

/** @throws LutraError "mismatch" if a table is missing or superfluous */
export function kernelFrom(tables: readonly NamedTable[], options: LayerOptions): Kernel {
  const { layer, maxRow = 0, in: format } = options;
  if (format !== undefined) return withAllAnswers(softmaxCodes({ input: parseFormat(format), maxRow }));
  if (layer === undefined) {
    const { table } = tables[0] as NamedTable;
    return fill(elementwise(table.spec), { f: table });
  }
  const kernel = layerKernel(layer, options);
  const found = holes(kernel);
  const filled = found.map(({ hole, spec }) => {
    const [table, second] = tables.filter((candidate) => candidate.table.spec.fn === spec.fn);
    if (table === undefined) throw missing(layer, { hole, spec }, found);
    if (second !== undefined) {
      throw mismatch(`"${table.file}" and "${second.file}" are both tables of ${spec.fn}, ${layer} takes one`, found);
    }
    return [hole, table.table] as const;
  });
  const other = tables.find(({ table }) => !found.some(({ spec }) => spec.fn === table.spec.fn));
  if (other !== undefined) {
    throw mismatch(`"${other.file}" is a table of ${other.table.spec.fn}, which ${layer} has no use for`, found);
  }
  return fill(kernel, Object.fromEntries(filled));
}

/** A kernel of codes whose tables leave nothing to choose: every answer, correctly rounded. */
function withAllAnswers(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = planProblem(spec, { segments: 1, norm: "max" });
    return [hole, finish(solve(problem, "direct", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

function layerKernel(kind: string, { maxRow = 0, epsilon, gamma, beta }: LayerOptions): Kernel {
  return layerFor({
    kind,
    maxRow,
    inputCount: beta === true ? 3 : gamma === true ? 2 : 1,
    ...(epsilon === undefined ? {} : { epsilon }),
    domain: { lo: -Infinity, hi: Infinity },
  });
}

function missing(layer: string, { hole, spec }: Hole, all: readonly Hole[]): LutraError {
  const { lo, hi } = spec.domain;
  const range = Number.isFinite(lo)
    ? `it is asked for ${spec.fn} from ${lo} to ${hi}`
    : `it is asked for ${spec.fn} up to ${hi}`;
  return new LutraError("mismatch", `${layer} needs a table of ${spec.fn} for its hole "${hole}"`, {
    note: `${holesText(all)}; ${range}: lutra fit ${spec.fn} --in binary32 --norm relative --segments 16 -o ${spec.fn}.json`,
  });
}

function mismatch(message: string, all: readonly Hole[]): LutraError {
  return new LutraError("mismatch", message, { note: holesText(all) });
}

function holesText(all: readonly Hole[]): string {
  return `its holes: ${all.map(({ hole }) => hole).join(", ")}`;
}
