// A pass over the columns sixteen at a time. What is left behind the whole steps is a step too. In the rows before the last ones it reads on into
// the next row, whose numbers are as good as any, and writes there what that row will overwrite; at the end of the tile its inputs are
// copied into scratch memory, with repetitions of one of them behind, and of its results only those wanted are copied back.

import type { Value } from "../../../kernel/index.ts";
import { type Code, get, i32, type Local, op, repeatWhile, sequence, set, store, when } from "../assembler.ts";
import type { Block, InMemory } from "../lanes.ts";
import { addressOf } from "./addresses.ts";
import type { Frame } from "./frame.ts";
import type { Pass } from "./plan.ts";
import { type Accumulator, accumulator, type Masks } from "./reductions.ts";
import type { Staging } from "./staging.ts";
import { stagedParam, stagedResult } from "./staging.ts";
import { type Spill, Step } from "./vector.ts";
import type { Copies, PassScope } from "./vector-scope.ts";
import { laneWidth } from "./vector-widths.ts";
import { partsOf, STEP, VECTOR_BYTES, type Width } from "./widths.ts";

/** Steps of a round, depending on how long the code of one is. */
const MOST_STEPS = 4;
const FEWEST_STEPS = 2;
const SHORT_STEP_BYTES = 320;

/** A pass over one row. */
export interface Stream {
  readonly pass: Pass;
  readonly stage: number;
  /** Where values are kept between passes. */
  readonly regions: ReadonlyMap<number, Local>;
  /** Absent, the columns behind the whole steps are not computed. */
  readonly staging?: Staging;
  /** By how many elements the row lies behind the one that arrays point to: a pass over the next row; 0 if absent. */
  readonly ahead?: (value: Value) => Local;
  /** Takes the number of each reduction. */
  readonly finish: (i: number, code: Code) => void;
}

/** Statements that compute passes over the same columns at once. */
export function vectorPass(frame: Frame, ...streams: readonly Stream[]): readonly Code[] {
  const { builder, columns, plan, lookups, form } = frame;
  const c = builder.local("i32");
  const works = streams.map((stream): Work => {
    const setup = frame.block();
    const scalar = (i: number): Code => frame.scalar(i);
    const ofRow: Copies = { known: new Map(), setup };
    const copiesOf = (i: number): Copies => (plan.kernel.values[i]?.over === "one" ? frame.copies : ofRow);
    const scope: PassScope = { plan, lookups, form, stage: stream.stage, setup, copiesOf, scalar };
    const sums = stream.pass.reductions.map((i) => ({ i, sum: accumulator(scope, builder, i) }));
    return { ...stream, frame, scope, sums, c };
  });
  const steps = wholeSteps(frame, works, c);
  const tails = works.flatMap((work) => (work.staging === undefined ? [] : [lastStep(work, work.staging)]));
  const after = frame.block();
  for (const { sums, finish } of works) {
    for (const { i, sum } of sums) finish(i, after.keep(sum.finish(after, get(columns))));
  }
  return [...works.flatMap(({ scope }) => scope.setup.statements), ...steps, ...tails, ...after.statements];
}

interface Work extends Stream {
  readonly frame: Frame;
  readonly scope: PassScope;
  readonly sums: readonly { readonly i: number; readonly sum: Accumulator }[];
  /** The column of the step's first element. */
  readonly c: Local;
}

/** Where a step finds a param or a value in scratch, and where it puts a result. */
interface Arrays {
  param(i: number): InMemory;
  stored(i: number): InMemory;
  result(at: number): InMemory;
}

/** Several steps at a time, then one. Counting and comparing takes as long as a short step, so of those more are in a round. Compact code has no rounds of long ones. */
function wholeSteps(frame: Frame, works: readonly Work[], c: Local): readonly Code[] {
  const { whole, builder, isCompact } = frame;
  const round = (steps: number): Code =>
    sequence(...works.flatMap((work) => stepsOf(work, steps)), set(c, op("i32.add", get(c), i32(steps * STEP))));
  const single = round(1);
  const isShort = single.length <= SHORT_STEP_BYTES;
  const isStep = op("i32.lt_u", get(c), get(whole));
  const singles = when(isStep, repeatWhile(isStep, single));
  if (isCompact && !isShort) return [set(c, i32(0)), singles];
  const steps = isShort && !isCompact ? MOST_STEPS : FEWEST_STEPS;
  const others = (steps - 1) * STEP;
  const end = builder.local("i32");
  const isRound = op("i32.lt_u", get(c), get(end));
  return [
    set(c, i32(0)),
    when(
      op("i32.lt_u", i32(others), get(whole)),
      set(end, op("i32.sub", get(whole), i32(others))),
      repeatWhile(isRound, round(steps)),
    ),
    singles,
  ];
}

function stepsOf(work: Work, steps: number): readonly Code[] {
  const { frame } = work;
  const addresses = frame.block();
  const inColumn = inColumns(work, addresses);
  const each = Array.from({ length: steps }, (_, n) => {
    const at = (base: Local, width: Width, ahead?: Local): InMemory => ({
      address: inColumn(base, width, ahead),
      offset: n * bytesOfStep(width),
    });
    return stepCode(work, null, {
      param: (i) => at(frame.param(i), widthOfValue(work, i), aheadOf(work, i)),
      stored: (i) => at(work.regions.get(i) as Local, scratchWidth(work, i)),
      result: (result) => at(frame.result(result), resultWidth(work, result)),
    });
  });
  return [...addresses.statements, ...each.flat()];
}

/** The step behind the whole ones, if any columns are left. */
function lastStep(work: Work, staging: Staging): Code {
  const { frame, c, pass } = work;
  const addresses = frame.block();
  const inColumn = inColumns(work, addresses);
  const params = new Map<number, Code>();
  const staged = pass.results.map((at) => stagedResult(frame, staging, at, resultWidth(work, at)));
  const step = stepCode(work, (width, q) => frame.lanesLeft(width, q), {
    param: (i) => {
      const known = params.get(i);
      if (known !== undefined) return { address: known, offset: 0 };
      const from = inColumn(frame.param(i), widthOfValue(work, i), aheadOf(work, i));
      const address = stagedParam(frame, addresses, staging, i, from);
      params.set(i, address);
      return { address, offset: 0 };
    },
    stored: (i) => ({ address: inColumn(work.regions.get(i) as Local, scratchWidth(work, i)), offset: 0 }),
    result: (at) => ({ address: get(staged[pass.results.indexOf(at)]?.address as Local), offset: 0 }),
  });
  return when(
    get(frame.left),
    set(c, get(frame.whole)),
    ...staged.flatMap(({ before }) => before),
    ...addresses.statements,
    ...step,
    ...staged.flatMap(({ after }) => after),
  );
}

/** Addresses of column c, each computed once; of the row ahead where asked for. */
function inColumns({ c }: Work, block: Block): (base: Local, width: Width, ahead?: Local) => Code {
  const known = new Map<number, Code>();
  return (base, width, ahead) => {
    const column = ahead === undefined ? get(c) : op("i32.add", get(c), get(ahead));
    const address = known.get(base.index) ?? block.keep(addressOf(get(base), column, width));
    known.set(base.index, address);
    return address;
  };
}

/** By how many elements the row lies behind, of a param that has rows. */
function aheadOf({ frame, ahead }: Work, i: number): Local | undefined {
  const value = frame.plan.kernel.values[i] as Value;
  return value.over === "element" ? ahead?.(value) : undefined;
}

function bytesOfStep(width: Width): number {
  return (STEP * width) / 8;
}

function widthOfValue({ frame }: Work, i: number): Width {
  return laneWidth(frame.plan.kernel.values[i] as Value);
}

function resultWidth(work: Work, at: number): Width {
  return widthOfValue(work, work.frame.plan.kernel.results[at] as number);
}

function scratchWidth({ frame }: Work, i: number): Width {
  return frame.plan.scratch.get(i) as Width;
}

/** Everything that a step is for, vector by vector in the order of the elements, so that few vectors are alive at once. */
function stepCode(work: Work, wanted: Masks | null, arrays: Arrays): readonly Code[] {
  const { scope, pass, sums, frame } = work;
  const { plan } = frame;
  const block = frame.transientBlock();
  const locate = (i: number): InMemory => (plan.kernel.values[i]?.op === "param" ? arrays.param(i) : arrays.stored(i));
  const spill: Spill = (name, width) => ({ address: get(frame.spill(name, width)), offset: 0 });
  const step = new Step(scope, block, locate, frame.hasScratch ? spill : undefined);
  // A result may lie where a param does: of several, none is written before all are computed.
  const late: Code[] = [];
  const stores = pass.results.length > 1 ? late : block.statements;
  const outputs = [
    ...pass.stored.map((i) => output(step, block.statements, i, scratchWidth(work, i), () => arrays.stored(i))),
    ...pass.results.map((at) => {
      const i = plan.kernel.results[at] as number;
      return output(step, stores, i, resultWidth(work, at), () => arrays.result(at));
    }),
  ];
  const taken = sums.map(({ sum }) => ({ parts: sum.parts, take: (q: number): void => sum.take(step, q, wanted) }));
  const all = [...taken, ...outputs].flatMap(({ parts, take }) =>
    Array.from({ length: parts }, (_, q) => ({ take, q, end: (q + 1) / parts })),
  );
  for (const { take, q } of all.sort((a, b) => a.end - b.end)) take(q);
  return [...block.statements, ...late];
}

interface Output {
  readonly parts: number;
  take(q: number): void;
}

function output(step: Step, stores: Code[], i: number, width: Width, place: () => InMemory): Output {
  return {
    parts: partsOf(width),
    take: (q) => {
      const part = step.part(i, width, q);
      const { address, offset } = place();
      stores.push(store("v128.store", address, part, offset + q * VECTOR_BYTES));
    },
  };
}
