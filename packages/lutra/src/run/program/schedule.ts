// A run for given lengths: where every tensor is, and which functions of the module are called with which addresses, in order. Made once for
// each set of lengths.

import { LutraError, sizeOf } from "../../base/index.ts";
import { laneBits } from "../../kernel/index.ts";
import { type Extents, type Program, type Step, tensorsWritten } from "../../program/index.ts";
import { FUNCTIONS } from "../../target/wasm/index.ts";
import { planMove } from "./moves.ts";
import { type Call, type Machine, type Place, type Planned, Planner } from "./planner.ts";
import { planProduct } from "./products.ts";
import { planKernel } from "./tiles.ts";

/** One step of a run. */
export interface ScheduledStep {
  readonly calls: readonly Call[];
  /** Tensors that it writes. */
  readonly results: readonly string[];
  /** Of an exit: the tensor to look at, and the outputs that it leaves. */
  readonly exit?: { readonly when: string; readonly outputs: Program["outputs"] };
}

export interface Schedule {
  readonly steps: readonly ScheduledStep[];
  readonly places: ReadonlyMap<string, Place>;
  /** The first address behind everything. */
  readonly end: number;
  /** Of all steps. */
  readonly callCount: number;
}

/** @throws RangeError if a move leaves its tensors */
export function schedule(machine: Machine, extents: Extents): Schedule {
  const planner = new Planner(machine, extents);
  const steps = machine.program.blocks.flatMap(({ steps }) => steps);
  const planned = steps.map((step, at) => planner.at(at, step, () => planStep(planner, step)));
  const end = planner.place();
  const scheduled = steps.map((step, at) => ({
    calls: (planned[at] as Planned)(),
    results: tensorsWritten(step),
    ...(step.op === "exit" ? { exit: { when: step.when, outputs: step.outputs } } : {}),
  }));
  const callCount = scheduled.reduce((count, { calls }) => count + calls.length, 0);
  return { steps: scheduled, places: planner.places(), end, callCount };
}

function planStep(planner: Planner, step: Step): Planned {
  switch (step.op) {
    case "product":
      return planProduct(planner, step);
    case "kernel":
      return planKernel(planner, step);
    case "move":
      return planMove(planner, step);
    case "gather":
      return planGather(planner, step);
    case "argmax": {
      const { shape, type } = planner.tensor(step.input);
      const columns = shape.at(-1) as number;
      const rows = sizeOf(shape) / columns;
      return () => [
        planner.call(
          FUNCTIONS.argmax(type.lane),
          planner.address(step.input),
          planner.address(step.result),
          rows,
          columns,
        ),
      ];
    }
    case "count":
      return () => [countInto(planner, step.result)];
    case "reshape":
    case "exit":
      return () => [];
    default:
      return step satisfies never;
  }
}

function planGather(planner: Planner, { table, ids, result }: Step & { readonly op: "gather" }): Planned {
  const { shape, type } = planner.tensor(table);
  const [rows, ...rest] = shape as readonly [number, ...number[]];
  const { shape: places, type: idType } = planner.tensor(ids);
  const count = sizeOf(places);
  const rowBytes = (sizeOf(rest) * laneBits(type.lane)) / 8;
  return () => {
    const idsAt = planner.address(ids);
    const gather = planner.call(
      FUNCTIONS.gather(idType.lane),
      planner.address(table),
      idsAt,
      planner.address(result),
      count,
      rowBytes,
      rows,
    );
    return [
      () => {
        const known = gather() as number;
        if (known === count) return;
        const [id] = planner.machine.memory.codes(idType.lane, idsAt + (laneBits(idType.lane) / 8) * known, 1);
        throw new LutraError("bad-data", `${ids} holds ${id}, the table ${table} has ${rows} rows`);
      },
    ];
  };
}

function countInto(planner: Planner, result: string): Call {
  const [address, length] = [planner.address(result), sizeOf(planner.tensor(result).shape)];
  const { memory } = planner.machine;
  return () => {
    const codes = memory.codes("i32", address, length);
    for (let i = 0; i < length; i++) codes[i] = i;
  };
}
