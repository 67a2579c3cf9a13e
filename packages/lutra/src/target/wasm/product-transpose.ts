// Packs a factor whose rows are the columns of the product: K of attention, weights that are stored [n, k].

import { type Code, get, i32, type Local, load, op, repeatWhile, set, store, when } from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import { advance, bytesBelow, interleave, isPositive, least, VECTOR_BYTES } from "./product-code.ts";
import { PANEL_COLUMNS, type ProductLayout } from "./product-methods.ts";

/** packFunction (product-pack.ts) of b [n, k]: eight rows of b are the columns of a panel, read vector by vector. */
export function packTransposed({ group, bBytes }: ProductLayout): FunctionDefinition {
  const builder = new FunctionBuilder(Array(6).fill("i32"), null);
  const [b, bStride, panels, n, k, offset] = builder.parameters as readonly [Local, Local, Local, Local, Local, Local];
  const number = (): Local => builder.local("i32");
  const [first, bytesLeft, last, row] = [number(), number(), number(), number()];
  const rows = Array.from({ length: PANEL_COLUMNS }, number);
  const [added, mask] = [builder.local("v128"), builder.local("v128")];
  const unitBytes = group * bBytes;
  const statements: Code[] = [];
  const keep = (value: Code): Code => {
    const local = builder.local("v128");
    statements.push(set(local, value));
    return get(local);
  };
  const codes = rows.map((pointer) => {
    const v = load("v128.load", get(pointer));
    return keep(op("v128.and", bBytes === 1 ? op("i8x16.add", v, get(added)) : v, get(mask)));
  });
  const oneVector = [
    set(mask, bytesBelow(least(get(bytesLeft), i32(VECTOR_BYTES)))),
    ...writeGroups(groupsOfRows(codes, unitBytes, keep), { panels, bytesLeft, unitBytes, before: statements }),
    ...rows.map((pointer) => advance(pointer, VECTOR_BYTES)),
    advance(bytesLeft, -VECTOR_BYTES),
  ];
  return builder.finish(
    set(added, op("i8x16.splat", get(offset))),
    set(last, op("i32.sub", get(n), i32(1))),
    set(first, i32(0)),
    repeatWhile(
      op("i32.lt_s", get(first), get(n)),
      // Columns beyond the last are the last once more.
      ...rows.flatMap((pointer, i) => [
        set(row, least(op("i32.add", get(first), i32(i)), get(last))),
        set(pointer, op("i32.add", get(b), op("i32.mul", get(row), get(bStride)))),
      ]),
      set(bytesLeft, op("i32.mul", get(k), i32(bBytes))),
      repeatWhile(isPositive(bytesLeft), ...oneVector),
      advance(first, PANEL_COLUMNS),
    ),
  );
}

/** The vectors of each group: one of 8 columns, or two of 4. */
function groupsOfRows(rows: readonly Code[], unitBytes: number, keep: (value: Code) => Code): Code[][] {
  const units = VECTOR_BYTES / unitBytes;
  const parts = Array.from({ length: PANEL_COLUMNS / units }, (_, part) =>
    rows.slice(part * units, (part + 1) * units),
  );
  const groups = parts.map((part) => transposed(part, unitBytes, keep));
  return Array.from({ length: units }, (_, unit) => groups.map((vectors) => vectors[unit] as Code));
}

/** As many vectors as there are units in each: unit j of vector i becomes unit i of vector j. */
function transposed(vectors: readonly Code[], unitBytes: number, keep: (value: Code) => Code): Code[] {
  if (vectors.length === 1) return [...vectors];
  const pairs = Array.from({ length: vectors.length / 2 }, (_, i) => vectors.slice(2 * i, 2 * i + 2) as [Code, Code]);
  const half = (which: 0 | 1): Code[] => pairs.map(([a, b]) => keep(interleave(a, b, unitBytes, which)));
  return [...transposed(half(0), 2 * unitBytes, keep), ...transposed(half(1), 2 * unitBytes, keep)];
}

interface Writing {
  readonly panels: Local;
  readonly bytesLeft: Local;
  readonly unitBytes: number;
  /** What computes the groups. */
  readonly before: readonly Code[];
}

/** Stores the groups that begin within the bytes that are left. */
function writeGroups(groups: readonly (readonly Code[])[], { panels, bytesLeft, unitBytes, before }: Writing): Code[] {
  const writes = groups.flatMap((vectors, i) => {
    const stores = [
      ...vectors.map((v, at) => store("v128.store", get(panels), v, VECTOR_BYTES * at)),
      advance(panels, VECTOR_BYTES * vectors.length),
    ];
    return i === 0 ? stores : [when(op("i32.lt_s", i32(i * unitBytes), get(bytesLeft)), ...stores)];
  });
  return [...before, ...writes];
}
