// Numbers to codes and back, what program/numbers.ts says of each, sixteen at a time: a module beside a program's, in its memory. The program's own
// has no instruction on floats.

import {
  type Code,
  extractLane,
  f32x4,
  get,
  i32,
  type Local,
  load,
  op,
  repeatWhile,
  set,
  store,
  when,
} from "../assembler.ts";
import { assemble, FunctionBuilder, type FunctionDefinition } from "../assembler-module.ts";

/** What portsModule exports. Counts are multiples of 16. */
export const PORTS = {
  /** (numbers, reciprocals, behind them, codes, count, zero point, least, most): i8. The reciprocals begin again behind their last. @returns 0 if a number is NaN */
  encode8: "encode-i8",
  /** The same: i16. */
  encode16: "encode-i16",
  /** (codes, scales, behind them, numbers, count, zero point): of i32, of i16, of i8. */
  decode32: "decode-i32",
  decode16: "decode-i16",
  decode8: "decode-i8",
} as const;

/** Numbers of one step. */
export const PORT_STEP = 16;

const QUARTERS = [0, 1, 2, 3] as const;
const VECTOR_BYTES = 16;
const FLOAT_BYTES = 4;

/** The module's bytes. It imports "memory" from "lutra". */
export function portsModule(): Uint8Array<ArrayBuffer> {
  return assemble({
    functions: {
      [PORTS.encode8]: encode(1),
      [PORTS.encode16]: encode(2),
      [PORTS.decode32]: decode(4),
      [PORTS.decode16]: decode(2),
      [PORTS.decode8]: decode(1),
    },
    globals: {},
    data: [],
    memoryBytes: 0,
    importedMemory: { module: "lutra", isShared: false },
  });
}

function encode(bytes: 1 | 2): FunctionDefinition {
  const builder = new FunctionBuilder(Array(8).fill("i32"), "i32");
  const [numbers, table, end, codes, count, zeroPoint, least, most] = builder.parameters as Eight;
  const vector = (): Local => builder.local("v128");
  const [valid, zero, lowest, highest] = [vector(), vector(), vector(), vector()];
  const at = builder.local("i32");
  const parts = QUARTERS.map(vector);
  // Limits without the zero point are exact in binary32: codes have at most 16 bits.
  const limit = (bound: Local): Code =>
    op("f32x4.convert_i32x4_s", op("i32x4.splat", op("i32.sub", get(bound), get(zeroPoint))));
  const quarter = (q: number): readonly Code[] => {
    const part = parts[q] as Local;
    const rounded = op("f32x4.floor", op("f32x4.add", get(part), f32x4(0.5)));
    const limited = op("f32x4.pmin", get(highest), op("f32x4.pmax", get(lowest), rounded));
    const place = q * VECTOR_BYTES;
    return [
      set(part, op("f32x4.mul", load("v128.load", get(numbers), place), load("v128.load", get(at), place))),
      set(valid, op("v128.and", get(valid), op("f32x4.eq", get(part), get(part)))),
      set(part, op("i32x4.add", op("i32x4.trunc_sat_f32x4_s", limited), get(zero))),
    ];
  };
  const [a, b, c, d] = parts.map(get) as [Code, Code, Code, Code];
  const [low, high] = [op("i16x8.narrow_i32x4_s", a, b), op("i16x8.narrow_i32x4_s", c, d)];
  const stores =
    bytes === 1
      ? [store("v128.store", get(codes), op("i8x16.narrow_i16x8_s", low, high))]
      : [store("v128.store", get(codes), low), store("v128.store", get(codes), high, VECTOR_BYTES)];
  return builder.finish(
    set(valid, op("i32x4.splat", i32(-1))),
    set(zero, op("i32x4.splat", get(zeroPoint))),
    set(lowest, limit(least)),
    set(highest, limit(most)),
    ...steps(
      { count, at, table, end },
      [...QUARTERS.flatMap(quarter), ...stores],
      [
        [numbers, PORT_STEP * FLOAT_BYTES],
        [codes, PORT_STEP * bytes],
      ],
    ),
    [0, 1, 2, 3]
      .map((lane) => extractLane("i32x4.extract_lane", lane, get(valid)))
      .reduce((all, one) => op("i32.and", all, one)),
  );
}

function decode(bytes: 1 | 2 | 4): FunctionDefinition {
  const builder = new FunctionBuilder(Array(6).fill("i32"), null);
  const [codes, table, end, numbers, count, zeroPoint] = builder.parameters as Eight;
  const zero = builder.local("v128");
  const at = builder.local("i32");
  const integers = (q: number): Code => {
    if (bytes === 4) return load("v128.load", get(codes), q * VECTOR_BYTES);
    const half = q >> 1;
    const words =
      bytes === 2
        ? load("v128.load", get(codes), half * VECTOR_BYTES)
        : op(half === 0 ? "i16x8.extend_low_i8x16_s" : "i16x8.extend_high_i8x16_s", load("v128.load", get(codes)));
    return op(q % 2 === 0 ? "i32x4.extend_low_i16x8_s" : "i32x4.extend_high_i16x8_s", words);
  };
  const quarters = QUARTERS.map((q) => {
    const difference = op("f32x4.convert_i32x4_s", op("i32x4.sub", integers(q), get(zero)));
    const number = op("f32x4.mul", difference, load("v128.load", get(at), q * VECTOR_BYTES));
    return store("v128.store", get(numbers), number, q * VECTOR_BYTES);
  });
  return builder.finish(
    set(zero, op("i32x4.splat", get(zeroPoint))),
    ...steps({ count, at, table, end }, quarters, [
      [codes, PORT_STEP * bytes],
      [numbers, PORT_STEP * FLOAT_BYTES],
    ]),
  );
}

type Eight = readonly [Local, Local, Local, Local, Local, Local, Local, Local];

/** The body for each sixteen numbers, the factors at `at` going round. */
function steps(
  { count, at, table, end }: { readonly count: Local; readonly at: Local; readonly table: Local; readonly end: Local },
  body: readonly Code[],
  advance: readonly (readonly [Local, number])[],
): readonly Code[] {
  const next = [...advance, [at, PORT_STEP * FLOAT_BYTES] as const].map(([local, by]) =>
    set(local, op("i32.add", get(local), i32(by))),
  );
  return [
    set(at, get(table)),
    when(
      get(count),
      repeatWhile(
        get(count),
        ...body,
        ...next,
        when(op("i32.eqz", op("i32.lt_u", get(at), get(end))), set(at, get(table))),
        set(count, op("i32.sub", get(count), i32(PORT_STEP))),
      ),
    ),
  ];
}
