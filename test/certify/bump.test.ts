// Negative certificates of binary32 tables: one ulp in one entry must show.

import { describe, expect, it } from "vitest";
import { BFLOAT16, fromOrdered32, random, toOrdered32 } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { bumpsOf } from "./bump.ts";
import { certificateOf, TABLES } from "./tables.ts";

/** Inputs all over the domain, dense around breakpoints of the reduced argument. */
function sampleInputs(table: Table): number[] {
  const { lo, hi } = table.spec.domain;
  const source = random(11);
  const inputs: number[] = [];
  for (let i = 0; i < 4000; i++) {
    const size = 2 ** (source.below(280) - 140) * (1 + source.uniform());
    inputs.push(Math.fround(i % 2 === 0 ? size : -size), Math.fround(20 * source.uniform() - 10));
  }
  if (table.index.rule === "breakpoints") {
    for (const code of table.index.codes) {
      for (const sign of [1, -1]) {
        for (let step = -2; step <= 2; step++) inputs.push(fromOrdered32(toOrdered32(Math.fround(sign * code)) + step));
      }
    }
  }
  return inputs.filter((x) => x >= lo && x <= hi);
}

describe("bumping an entry by one ulp", () => {
  it.each(Object.keys(TABLES) as (keyof typeof TABLES)[])(
    "of the binary32 %s table changes the error summary where a sampled output changes; no sampled output changes where it is listed as dead",
    (name) => {
      const table: Table = TABLES[name];
      const before = certificateOf(table);
      const summary = JSON.stringify(before.segments);
      const inputs = sampleInputs(table);
      const plain = inputs.map((x) => evaluate(table, x));
      for (const { degree, segment, direction, table: bumped } of bumpsOf(table)) {
        const changes = inputs.some((x, i) => evaluate(bumped, x) !== plain[i]);
        const dead = before.dead.some(
          (entry) => entry.degree === degree && entry.segment === segment && [direction, "both"].includes(entry.bump),
        );
        if (dead) expect(changes).toBe(false);
        if (changes) expect(JSON.stringify(certificateOf(bumped).segments)).not.toBe(summary);
      }
    },
  );

  it("of a bfloat16 table is decided by every code", () => {
    const table: Table = {
      ...TABLES.gelu,
      spec: { ...TABLES.gelu.spec, input: BFLOAT16, output: BFLOAT16, domain: { lo: -20, hi: 20 } },
    };
    const { dead } = certificateOf(table);
    // One binary32 ulp mostly vanishes in a bfloat16 output.
    expect(dead.length).toBeGreaterThan(8);
    expect(dead.length).toBeLessThan(47);
  });
});
