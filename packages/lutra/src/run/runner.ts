// run and buffers of a loaded kernel. Arrays in its memory are worked on where they are; others go through the room in parts. A short run of
// one array through an elementwise kernel has a way of its own, which does nothing but what such a run needs.

import { LutraError } from "../base/index.ts";
import type { Over } from "../kernel/index.ts";
import {
  type Call,
  checkedCall,
  checkedExtent,
  type Extent,
  type Inputs,
  type Outputs,
  type Signature,
  sizeOver,
  strideOver,
  written,
} from "./call.ts";
import { bytesOf, type Codes, codesAt } from "./codes.ts";
import { type Layout, layOut, type Needs, STAGGER, type Whereabouts } from "./layout.ts";
import { aligned, type Workspace } from "./workspace.ts";

/** Runs the module on arrays at addresses: params in order, then results. */
export type Compute = (addresses: readonly number[], scratch: number, extent: Extent) => void;

/** Arrays of a run, by the names of params and results; `input` and `output` are the first of each. */
export interface Buffers {
  readonly input: Codes;
  readonly output: Codes;
  readonly inputs: Readonly<Record<string, Codes>>;
  readonly outputs: Record<string, Codes>;
}

export interface Loaded {
  readonly signature: Signature;
  readonly needs: Needs;
  readonly workspace: Workspace;
  readonly compute: Compute;
}

export class Runner {
  readonly #loaded: Loaded;
  /** What each array varies over. */
  readonly #overs: readonly Over[];
  /** Whether there is something to compute without rows: results that all rows share. */
  readonly #isAnsweredRowless: boolean;
  #layout: Layout | null = null;

  constructor(loaded: Loaded) {
    const { params, results } = loaded.signature;
    this.#loaded = loaded;
    this.#overs = [...params, ...results].map(({ over }) => over);
    this.#isAnsweredRowless = results.some(({ over }) => over === "one" || over === "column");
  }

  run(input: Inputs, output?: Outputs, columns?: number): Outputs {
    const { signature, workspace } = this.#loaded;
    const call = checkedCall(signature, input, output, columns);
    const isInside: boolean[] = [];
    for (const codes of call.arrays) {
      const isHere = workspace.holds(codes);
      isInside.push(isHere);
      if (!isHere || !workspace.isReserved(codes)) continue;
      throw new LutraError("bad-argument", "an array overlaps the kernel's own part of the memory", {
        note: "that part is for its tables and intermediate values",
      });
    }
    const isElsewhere = isInside.includes(false);
    const layout = this.layout(call.columns, { isInside: isInside.includes(true), isElsewhere });
    this.#compute(call, isInside, layout, isElsewhere ? layout.rows : Math.max(1, call.rows));
    return written(signature, call, output);
  }

  buffers(size: number | Extent): Buffers {
    const { signature, workspace } = this.#loaded;
    const extent = checkedExtent(signature, size);
    this.layout(extent.columns, { isInside: false, isElsewhere: false });
    const ports = [...signature.params, ...signature.results];
    const lengths = ports.map(({ over }) => sizeOver(over, extent));
    const bytes = ports.map(({ lane }, i) => aligned((lengths[i] as number) * bytesOf(lane)) + STAGGER);
    let end = workspace.allocate(
      bytes.reduce((sum, more) => sum + more),
      `${extent.rows * extent.columns} values`,
    );
    const arrays = ports.map(({ name, lane }, i) => {
      const codes = codesAt(lane, workspace.buffer, end, lengths[i] as number);
      end += bytes[i] as number;
      return [name, codes] as const;
    });
    const inputs = arrays.slice(0, signature.params.length);
    const outputs = arrays.slice(signature.params.length);
    const [[, input], [, output]] = [inputs[0] as (typeof arrays)[0], outputs[0] as (typeof arrays)[0]];
    return { input, output, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
  }

  /** Made again where rows of another length come, or the memory has grown. */
  layout(columns: number, where: Whereabouts): Layout {
    const { needs, workspace } = this.#loaded;
    const known = this.#layout;
    const isGood = known?.columns === columns && known.buffer === workspace.buffer;
    if (known !== null && isGood && (known.rows > 0 || !where.isElsewhere)) return known;
    this.#layout = layOut(needs, workspace, columns, where);
    return this.#layout;
  }

  /** In steps of so many rows. */
  #compute({ arrays, rows, columns }: Call, isInside: readonly boolean[], layout: Layout, step: number): void {
    const { signature, compute } = this.#loaded;
    const inputs = signature.params.length;
    const addresses: number[] = [];
    const end = this.#isAnsweredRowless ? Math.max(1, rows) : rows;
    for (let row = 0; row < end; row += step) {
      const extent = { rows: Math.min(step, rows - row), columns };
      for (let i = 0; i < arrays.length; i++) {
        const codes = arrays[i] as Codes;
        const from = row * strideOver(this.#overs[i] as Over, columns);
        addresses[i] = isInside[i]
          ? codes.byteOffset + from * codes.BYTES_PER_ELEMENT
          : (layout.addresses[i] as number);
        // What all rows share is there since the first step.
        if (isInside[i] || i >= inputs || (row > 0 && from === 0)) continue;
        (layout.views[i] as Codes).set(part(codes, from, sizeOver(this.#overs[i] as Over, extent)));
      }
      compute(addresses, layout.scratch, extent);
      for (let i = inputs; i < arrays.length; i++) {
        if (isInside[i]) continue;
        const over = this.#overs[i] as Over;
        const answers = part(layout.views[i] as Codes, 0, sizeOver(over, extent));
        (arrays[i] as Codes).set(answers, row * strideOver(over, columns));
      }
    }
  }
}

function part(codes: Codes, from: number, length: number): Codes {
  return length === codes.length ? codes : codes.subarray(from, from + length);
}
