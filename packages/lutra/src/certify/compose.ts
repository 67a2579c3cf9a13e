// Certificates of row layers, composed from the proofs of their tables: which proof belongs to which layer, and what they share.

import { hash, type Work } from "../base/index.ts";
import { parseFn, ROW_FUNCTIONS } from "../fn/index.ts";
import { holes, type Kernel, tablesOf } from "../kernel/index.ts";
import type { Table } from "../table/index.ts";
import { composeNorm } from "./compose-norm.ts";
import { composeLogSoftmax, composeSoftmax } from "./compose-softmax.ts";
import { proveTable } from "./interval.ts";
import { unknownShape } from "./pattern.ts";
import type { Bounds, LayerProof, RowOptions } from "./row-proof.ts";
import { attainedOn } from "./rows.ts";
import type { Certificate, ErrorBound } from "./types.ts";

export function isRowFunction(fn: string): boolean {
  return ROW_FUNCTIONS.includes(fn);
}

/** @throws LutraError "unsupported" if the kernel is not the layer its spec names, "infeasible" if nothing can be proven */
export function* certifyRows(kernel: Kernel, relativeFloor: number, options: RowOptions): Work<Certificate> {
  const tables = tablesOf(kernel);
  const proof = yield* layerProof(kernel, tables, relativeFloor, options);
  const certificates: Record<string, Certificate> = {};
  for (const { hole, spec } of holes(kernel)) {
    const table = tables[hole] as Table;
    const shown = yield* proveTable(table, hole, parseFn(spec.fn), spec.domain, relativeFloor);
    certificates[hole] = { spec, kernelHash: hash(table), ...shown, properties: [] };
  }
  const attained = yield* attainedOn(kernel, proof, certificates, relativeFloor);
  const parts = Object.values(certificates);
  return {
    spec: kernel.spec,
    kernelHash: hash(kernel),
    shown: "composed",
    over: proof.over,
    absolute: bound(proof.bounds, "absolute", attained.absolute),
    relative: { ...bound(proof.bounds, "relative", attained.relative), floor: relativeFloor },
    ulp: bound(proof.bounds, "ulp", attained.ulp),
    mse: null,
    offBy: null,
    undecided: 0,
    segments: parts.flatMap(({ segments }) => segments),
    dead: parts.flatMap(({ dead }) => dead),
    properties: proof.properties,
    holes: certificates,
  };
}

function bound(bounds: Bounds, of: keyof Bounds, attained: Omit<ErrorBound, "upper">): ErrorBound {
  return { upper: bounds[of], ...attained };
}

function layerProof(
  kernel: Kernel,
  tables: Readonly<Record<string, Table>>,
  relativeFloor: number,
  options: RowOptions,
): Work<LayerProof> {
  switch (kernel.spec.fn) {
    case "softmax":
      return composeSoftmax(kernel, tables, relativeFloor);
    case "log-softmax":
      return composeLogSoftmax(kernel, tables, relativeFloor, options);
    case "layer-norm":
    case "rms-norm":
      return composeNorm(kernel, tables, relativeFloor, options);
    default:
      throw unknownShape(kernel);
  }
}
