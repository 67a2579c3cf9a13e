// What is done to rows of a before a product: sums of rows, where b is stored with 64 added; 64 added, where a needs 7 bits; bytes made 16
// bits. All read at most 15 bytes beyond a row.

import {
  type Code,
  extractLane,
  get,
  i16x8,
  i32,
  i32x4,
  type Local,
  load,
  op,
  repeatWhile,
  set,
  shuffle,
  store,
  when,
} from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import { advance, bytesBelow, isPositive, VECTOR_BYTES } from "./product-code.ts";

type SixLocals = readonly [Local, Local, Local, Local, Local, Local];

/**
 * A function (a, aStride, starts, m, k, factor), all i32, addresses and strides in bytes: starts[i] = factor times the sum of the k bytes
 * of row i of a, modulo 2^32. With weights that are stored with 64 added, products begin at -64 times the sums. m and k are at least 1.
 */
export function rowSumsFunction(isSigned: boolean): FunctionDefinition {
  const builder = new FunctionBuilder(Array(6).fill("i32"), null);
  const [a, aStride, starts, m, k, factor] = builder.parameters as SixLocals;
  const [from, left] = [builder.local("i32"), builder.local("i32")];
  const sums = builder.local("v128");
  const pairs = isSigned ? "i16x8.extadd_pairwise_i8x16_s" : "i16x8.extadd_pairwise_i8x16_u";
  const add = (bytes: Code): Code =>
    set(sums, op("i32x4.add", get(sums), op("i32x4.dot_i16x8_s", op(pairs, bytes), i16x8(1))));
  const vector = load("v128.load", get(from));
  const isWhole = op("i32.lt_s", i32(VECTOR_BYTES - 1), get(left));
  return builder.finish(
    repeatWhile(
      isPositive(m),
      set(from, get(a)),
      set(left, get(k)),
      set(sums, i32x4(0)),
      when(isWhole, repeatWhile(isWhole, add(vector), advance(from, VECTOR_BYTES), advance(left, -VECTOR_BYTES))),
      when(isPositive(left), add(op("v128.and", vector, bytesBelow(get(left))))),
      ...[8, 4].map((by) => {
        const lanes = Array.from({ length: VECTOR_BYTES }, (_, byte) => (byte + by) % VECTOR_BYTES);
        return set(sums, op("i32x4.add", get(sums), shuffle(lanes, get(sums), get(sums))));
      }),
      store("i32.store", get(starts), op("i32.mul", extractLane("i32x4.extract_lane", 0, get(sums)), get(factor))),
      advance(a, get(aStride)),
      advance(starts, 4),
      advance(m, -1),
    ),
  );
}

/**
 * A function (a, aStride, target, targetStride, m, k, offset), all i32, addresses and strides in bytes: rows of k bytes with the offset
 * added, modulo 2^8. They are written up to k rounded up to a multiple of 16, which targetStride is at least; what is beyond k means
 * nothing.
 */
export function shiftFunction(): FunctionDefinition {
  return rowsFunction(1, (offset, vector) => [op("i8x16.add", vector, op("i8x16.splat", get(offset)))]);
}

/**
 * A function (a, aStride, target, targetStride, m, k), all i32, addresses and strides in bytes: rows of k bytes as rows of 16 bits. They
 * are written up to k rounded up to a multiple of 16 elements, twice which targetStride is at least; what is beyond k means nothing.
 */
export function widenFunction(isSigned: boolean): FunctionDefinition {
  const sign = isSigned ? "s" : "u";
  return rowsFunction(0, (_, vector) => [
    op(`i16x8.extend_low_i8x16_${sign}`, vector),
    op(`i16x8.extend_high_i8x16_${sign}`, vector),
  ]);
}

/** Rows, vector by vector; each becomes the vectors that `code` says. */
function rowsFunction(offsets: 0 | 1, code: (offset: Local, vector: Code) => readonly Code[]): FunctionDefinition {
  const builder = new FunctionBuilder(Array(6 + offsets).fill("i32"), null);
  const [a, aStride, target, targetStride, m, k] = builder.parameters as SixLocals;
  const [from, to, end] = [0, 0, 0].map(() => builder.local("i32")) as [Local, Local, Local];
  const vector = builder.local("v128");
  const vectors = code(builder.parameters[6] ?? k, get(vector));
  return builder.finish(
    repeatWhile(
      isPositive(m),
      set(from, get(a)),
      set(to, get(target)),
      set(end, op("i32.add", get(a), get(k))),
      repeatWhile(
        op("i32.lt_u", get(from), get(end)),
        set(vector, load("v128.load", get(from))),
        ...vectors.map((v, i) => store("v128.store", get(to), v, VECTOR_BYTES * i)),
        advance(from, VECTOR_BYTES),
        advance(to, VECTOR_BYTES * vectors.length),
      ),
      advance(a, get(aStride)),
      advance(target, get(targetStride)),
      advance(m, -1),
    ),
  );
}
