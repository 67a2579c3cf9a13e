// Reductions of a row as loops: sums of binary32 as 16 interleaved partial sums, the largest binary32 by comparing its bits as an integer,
// which compilers vectorise and which orders -0 below 0, with NaNs noticed beside it.

import type { Value } from "../../kernel/index.ts";
import { type Interval, toBits32 } from "../../num/index.ts";
import { typeOf } from "./arithmetic.ts";
import type { Body } from "./source.ts";

type Reduction = Extract<Value, { op: "reduce" }>;

/** Writes the element at a place of the row; its name. */
type Element = (body: Body, place: string) => string;

/** Of integers: what its elements can be, and how many there are at most. */
interface IntegerReduction {
  readonly value: Reduction;
  readonly over: Interval;
  readonly maxRow: number;
}

/** Writes the loop; the name of the result. `over` is what integers can be, null for binary32. */
export function writeReduction(
  row: Body,
  { value, over, maxRow }: { readonly value: Reduction; readonly over: Interval | null; readonly maxRow: number },
  element: Element,
): string {
  if (over !== null) return integers(row, { value, over, maxRow }, element);
  if (value.with === "max") return largest(row, element);
  const { dialect } = row;
  const sum = partialSums(row, element);
  if (value.with === "add") return sum;
  return row.let("f32", "mean", dialect.arithmetic("/", sum, dialect.toFloat("columns")));
}

function partialSums(row: Body, element: Element): string {
  const { dialect } = row;
  const sums = row.fresh("sums");
  row.lines.push(dialect.partialSums(sums));
  row.block(dialect.loop("first", "columns", 16), (block) => {
    block.lines.push(dialect.place("length", "columns - first < 16 ? columns - first : 16"));
    block.block(dialect.loop("j", "length"), (inner) => {
      inner.lines.push(dialect.increase(sums, "j", element(inner, "first + j")));
    });
  });
  return row.let("f32", "sum", `${row.source.helper("total")}(${sums})`);
}

/** Bits of a binary32 as an integer of the same order. Its own inverse. */
function ordered(bits: string): string {
  return `${bits} ^ ((${bits} >> 31) & 0x7fffffff)`;
}

function largest(row: Body, element: Element): string {
  const { dialect, source } = row;
  const [key, hasNaN] = [row.fresh("key"), row.fresh("nan")];
  const bits = toBits32(-Infinity) - 2 ** 32;
  row.lines.push(dialect.variable("i32", key, dialect.literal("i32", bits ^ 0x7fffffff)));
  row.lines.push(dialect.variable("i32", hasNaN, "0"));
  row.block(dialect.loop("c", "columns"), (inner) => {
    const x = element(inner, "c");
    const own = inner.let("i32", "bits", `${source.helper("bits")}(${x})`);
    const place = inner.let("i32", "place", ordered(own));
    inner.lines.push(`${key} = ${place} > ${key} ? ${place} : ${key};`);
    inner.lines.push(`${hasNaN} |= ${dialect.isNaN(x)} ? 1 : 0;`);
  });
  const found = `${hasNaN} ? 0x7fc00000 : ${ordered(key)}`;
  return row.let("f32", "largest", `${source.helper("float")}(${found})`);
}

function integers(row: Body, { value, over, maxRow }: IntegerReduction, element: Element): string {
  const { dialect, source } = row;
  const sums = { lo: Math.min(0, over.lo * maxRow), hi: Math.max(0, over.hi * maxRow) };
  const type = typeOf(value.with === "max" ? over : sums);
  const name = row.fresh(value.with === "max" ? "largest" : "sum");
  row.lines.push(dialect.variable(type, name, dialect.literal(type, value.with === "max" ? over.lo : 0)));
  row.block(dialect.loop("c", "columns"), (inner) => {
    const x = element(inner, "c");
    inner.lines.push(value.with === "max" ? `${name} = ${x} > ${name} ? ${x} : ${name};` : `${name} += ${x};`);
  });
  if (value.with !== "mean") return name;
  const divide = source.sized("divide", value.rounding ?? "half-even", type);
  const columns = type === "i64" ? dialect.wide("columns") : dialect.narrow(type, "columns");
  const mean = typeOf(over);
  return row.let(mean, "mean", dialect.narrow(mean, `${divide}(${name}, ${columns})`));
}
