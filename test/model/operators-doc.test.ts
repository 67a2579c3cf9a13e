// README lists the operators that become programs: those that the tracer has a rule for, and no other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ARITHMETIC } from "../../packages/lutra/src/model/trace/arithmetic-nodes.ts";
import { PARTS } from "../../packages/lutra/src/model/trace/part-nodes.ts";
import { SHAPES } from "../../packages/lutra/src/model/trace/shape-nodes.ts";
import { ROOT } from "../shared.ts";

it("README names every operator with a rule", () => {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const list = /and these operators: ([\w,\s]+)\./.exec(text)?.[1] ?? "";
  const names = list.split(/,\s+/).map((name) => name.trim());
  expect(names).toEqual(Object.keys({ ...ARITHMETIC, ...SHAPES, ...PARTS }).toSorted());
});
