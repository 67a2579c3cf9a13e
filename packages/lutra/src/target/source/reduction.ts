// Reductions of a row as loops: sums of binary32 as 16 interleaved partial sums, the largest binary32 by comparing its bits as an integer,
// which compilers vectorise and which orders -0 below 0, with NaNs noticed beside it.

import { laneRange, type Value } from "../../kernel/index.ts";
import { toBits32 } from "../../num/index.ts";
import { typeOf } from "./arithmetic.ts";
import type { Body } from "./source.ts";

type Reduction = Extract<Value, { op: "reduce" }>;

/** Writes the element at a place of the row; its name. */
type Element = (body: Body, place: string) => string;

/** Writes the loop; the name of the result. */
export function writeReduction(row: Body, value: Reduction, element: Element): string {
  if (value.lane !== "f32") return integers(row, value, element);
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

function integers(row: Body, value: Reduction, element: Element): string {
  const { dialect, source } = row;
  const type = typeOf(value.lane);
  const name = row.fresh(value.with === "max" ? "largest" : "sum");
  const least = laneRange(value.lane)?.lo ?? 0;
  row.lines.push(dialect.variable(type, name, dialect.literal(type, value.with === "max" ? least : 0)));
  row.block(dialect.loop("c", "columns"), (inner) => {
    const x = element(inner, "c");
    inner.lines.push(value.with === "max" ? `${name} = ${x} > ${name} ? ${x} : ${name};` : `${name} += ${x};`);
  });
  if (value.with !== "mean") return name;
  const divide = source.helper(`divide-${value.rounding ?? "half-even"}`);
  return row.let(type, "mean", dialect.narrow(type, `${divide}(${name}, ${dialect.wide("columns")})`));
}
