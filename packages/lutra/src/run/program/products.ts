// Products: their factors brought into the form that the method takes, sums in a scratch tile that stays in the cache, and the kernel over it.

import { sizeOf } from "../../base/index.ts";
import { laneBits } from "../../kernel/index.ts";
import { ACCUMULATOR, commonShape, repeatedPlaces } from "../../program/index.ts";
import {
  FUNCTIONS,
  PANEL_COLUMNS,
  type ProductFunctions,
  type ProductStep,
  panelBytes,
  productLayout,
} from "../../target/wasm/index.ts";
import type { Call, Planned, Planner } from "./planner.ts";
import type { Slot } from "./slots.ts";
import { addressIn, isOneBlock, portsOn, STEP_COLUMNS, scratchBytes, type Tile } from "./tiles.ts";

/** Of the sums: a part of the second-level cache, beside the rows of a and a block of b's panels. */
const SUMS_BYTES = 2 ** 17;
/** Of the rows of a that are read again for each panel. */
const ROWS_BYTES = 2 ** 19;
/** Columns of a block: the kernel's rows are long enough then. */
const BLOCK_COLUMNS = 128;
const SUM_BYTES = 4;
/** Rows of 16 bytes that functions write. */
const ROUNDED = 16;

/** Shape of a product: `blocks` times [rows, k] by [k, columns]. */
interface Shape extends Tile {
  readonly k: number;
  readonly blocksA: Int32Array;
  readonly blocksB: Int32Array;
}

export function planProduct(planner: Planner, step: ProductStep): Planned {
  const fn = planner.machine.module.products.get(step) as ProductFunctions;
  const shape = shapeOf(planner, step);
  const ports = portsOn(
    planner,
    fn.kernel,
    shape,
    (name) => (name === ACCUMULATOR ? null : (step.arguments[name] as string)),
    step.results,
  );
  const count = sizeOf(shape.outer);
  if (count * shape.rows * shape.columns === 0) return () => [];
  const isOne = isOneBlock(ports) && isAllOne(shape.blocksB) && isInOrder(shape.blocksA);
  const rows = isOne ? count * shape.rows : shape.rows;
  const left = leftFactor(planner, step, fn);
  const right = rightFactor(planner, step, fn, shape);
  const block = blockOf(fn, rows, shape);
  const sums = planner.slot(block.rows * block.sumsStride);
  const slot = planner.slot(scratchOfProduct(fn, shape.k));
  const scratch = planner.slot(scratchBytes(fn.kernel, block.columns));
  return () => {
    const calls: Call[] = [...left.before()];
    const bias = fn.bias === null ? null : planner.address(fn.bias);
    let packed = -1;
    for (let i = 0; i < (isOne ? 1 : count); i++) {
      const b = shape.blocksB[i] as number;
      if (b !== packed) calls.push(...right.before(b));
      packed = b;
      for (let column = 0; column < shape.columns; column += block.columns) {
        const columns = Math.min(block.columns, shape.columns - column);
        for (let row = 0; row < rows; row += block.rows) {
          const count = Math.min(block.rows, rows - row);
          const from = (shape.blocksA[i] as number) * shape.rows + row;
          calls.push(
            planner.call(
              fn.name,
              left.address() + from * left.stride,
              left.stride,
              right.address(b) + (column / PANEL_COLUMNS) * right.panelBytes,
              sums.address,
              block.sumsStride,
              left.starts() + from * SUM_BYTES,
              (bias ?? right.starts()) + column * SUM_BYTES,
              count,
              columns,
              shape.k,
              slot.address,
            ),
            planner.call(
              fn.kernel.name,
              ...ports.map((port) =>
                port === null ? sums.address : addressIn(planner, port, shape, { block: i, row, column }),
              ),
              scratch.address,
              block.sumsStride / SUM_BYTES,
              shape.columns,
              count,
              columns,
            ),
          );
        }
      }
    }
    return calls;
  };
}

function shapeOf(planner: Planner, step: ProductStep): Shape {
  const [a, b] = [planner.tensor(step.a).shape, planner.tensor(step.b).shape];
  const [leadingA, leadingB] = [a.slice(0, -2), b.slice(0, -2)];
  const outer = commonShape(leadingA, leadingB);
  return {
    outer,
    rows: a.at(-2) as number,
    columns: b.at(step.isTransposed ? -2 : -1) as number,
    k: a.at(-1) as number,
    blocksA: repeatedPlaces(outer, leadingA),
    blocksB: repeatedPlaces(outer, leadingB),
  };
}

/** Rows and columns of the tile that sums are computed for at once. */
function blockOf(
  { kernel, factors }: ProductFunctions,
  rows: number,
  { columns, k }: Shape,
): { readonly rows: number; readonly columns: number; readonly sumsStride: number } {
  const isCut = kernel.isOfColumns && columns % STEP_COLUMNS === 0 && columns > BLOCK_COLUMNS;
  const width = isCut ? BLOCK_COLUMNS : columns;
  const sumsStride = roundedUp(width, PANEL_COLUMNS) * SUM_BYTES;
  const rowBytes = k * productLayout(factors.method).aBytes;
  const most = Math.max(1, Math.floor(Math.min(SUMS_BYTES / sumsStride, ROWS_BYTES / rowBytes)));
  // Blocks of nearly equal height.
  return { rows: Math.ceil(rows / Math.ceil(rows / most)), columns: width, sumsStride };
}

function scratchOfProduct({ factors: { method } }: ProductFunctions, k: number): number {
  const { step, roomBytes } = productLayout(method);
  return roundedUp(k, step) * roomBytes;
}

// factors -------------------------------------------------------------------------------------------------------------

interface LeftFactor {
  /** Calls before the first product. */
  readonly before: () => readonly Call[];
  readonly address: () => number;
  /** Bytes from row to row. */
  readonly stride: number;
  /** Address of the numbers that rows' sums start with. */
  readonly starts: () => number;
}

/** Rows of a as the method reads them: as they are, with an offset, or widened; and their sums, where b has an offset. */
function leftFactor(planner: Planner, { a }: ProductStep, { factors }: ProductFunctions): LeftFactor {
  const { offsetA, offsetB, widenedA } = factors;
  const { shape, type } = planner.tensor(a);
  const k = shape.at(-1) as number;
  const rows = sizeOf(shape) / Math.max(1, k);
  const rowBytes = (k * laneBits(type.lane)) / 8;
  const starts = offsetB === 0 ? null : planner.shared(a, `row sums ${k}`, rows * SUM_BYTES);
  const sums = (): readonly Call[] =>
    starts?.isFirst
      ? [planner.call(FUNCTIONS.rowSums, planner.address(a), rowBytes, starts.slot.address, rows, k, -offsetB)]
      : [];
  const atStarts = (): number => starts?.slot.address ?? 0;
  if (offsetA === 0 && widenedA === null) {
    return { before: sums, address: () => planner.address(a), stride: rowBytes, starts: atStarts };
  }
  const stride = roundedUp(k, ROUNDED) * productLayout(factors.method).aBytes;
  const { slot, isFirst } = planner.shared(a, `${offsetA} ${widenedA} ${k}`, rows * stride);
  const converted = (): Call =>
    widenedA === null
      ? planner.call(FUNCTIONS.shift, planner.address(a), rowBytes, slot.address, stride, rows, k, offsetA)
      : planner.call(FUNCTIONS.widen[widenedA], planner.address(a), rowBytes, slot.address, stride, rows, k);
  return {
    before: () => (isFirst ? [...sums(), converted()] : sums()),
    address: () => slot.address,
    stride,
    starts: atStarts,
  };
}

interface RightFactor {
  /** Calls before the products with a matrix. */
  readonly before: (matrix: number) => readonly Call[];
  readonly address: (matrix: number) => number;
  readonly panelBytes: number;
  /** Address of the numbers that columns' sums start with. */
  readonly starts: () => number;
}

/** Panels of b: of constants as they were packed once, else packed for each matrix in turn. */
function rightFactor(
  planner: Planner,
  step: ProductStep,
  { factors }: ProductFunctions,
  { columns, k }: Shape,
): RightFactor {
  const { method, offsetA, offsetB } = factors;
  const bytes = panelBytes(method, k);
  const matrixBytes = Math.ceil(columns / PANEL_COLUMNS) * bytes;
  const starts = offsetA === 0 ? null : planner.slot(roundedUp(columns, PANEL_COLUMNS) * SUM_BYTES);
  const sumsOf = (panels: number): readonly Call[] =>
    starts === null ? [] : [planner.call(FUNCTIONS.columnSums(method), panels, starts.address, columns, k, -offsetA)];
  const rest = { panelBytes: bytes, starts: () => starts?.address ?? 0 };
  const constant = planner.machine.fixed.panels.get(step);
  if (constant !== undefined) {
    const address = (matrix: number): number => constant + matrix * matrixBytes;
    return { ...rest, address, before: (matrix) => sumsOf(address(matrix)) };
  }
  const panels: Slot = planner.slot(matrixBytes);
  const elementBytes = laneBits(planner.tensor(step.b).type.lane) / 8;
  const rowBytes = (step.isTransposed ? k : columns) * elementBytes;
  const pack = FUNCTIONS.pack(method, step.isTransposed);
  return {
    ...rest,
    address: () => panels.address,
    before: (matrix) => {
      const from = planner.address(step.b) + matrix * k * columns * elementBytes;
      return [planner.call(pack, from, rowBytes, panels.address, columns, k, offsetB), ...sumsOf(panels.address)];
    },
  };
}

function isAllOne(blocks: Int32Array): boolean {
  return blocks.every((block) => block === 0);
}

function isInOrder(blocks: Int32Array): boolean {
  return blocks.every((block, i) => block === i);
}

function roundedUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit;
}
