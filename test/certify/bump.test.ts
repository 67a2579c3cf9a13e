// Negative certificates of binary32 tables: one ulp in one entry must show.

import { describe, expect, it } from "vitest";
import type { Certificate } from "../../packages/lutra/src/certify/index.ts";
import {
  allCodes,
  BFLOAT16,
  fromOrdered32,
  type Interval,
  nextUp32,
  random,
  toOrdered32,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { type Bump, bumpsOf } from "./bump.ts";
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

/** A few octaves of each table's domain: the proof is made again for every entry. */
const FEW_OCTAVES: Readonly<Record<keyof typeof TABLES, Interval>> = {
  gelu: { lo: -9, hi: 9 },
  geluReflected: { lo: -9, hi: 9 },
  tanh: { lo: -9, hi: -0.01 },
  sigmoid: { lo: -17, hi: 17 },
  exp: { lo: -4, hi: 0 },
  reciprocal: { lo: 0.5, hi: 6 },
  rsqrt: { lo: 0.5, hi: 6 },
  log: { lo: 0.5, hi: 6 },
};

function isListed(dead: Certificate["dead"], { degree, segment, direction }: Bump): boolean {
  return dead.some(
    (entry) => entry.degree === degree && entry.segment === segment && [direction, "both"].includes(entry.bump),
  );
}

describe("bumping an entry by one ulp", () => {
  it.each(Object.keys(TABLES) as (keyof typeof TABLES)[])(
    "of the binary32 %s table changes the error summary where a sampled output changes; no sampled output changes where it is listed as dead",
    (name) => {
      const spec = { ...TABLES[name].spec, domain: FEW_OCTAVES[name] };
      const table: Table = { ...TABLES[name], spec };
      const before = certificateOf(table);
      const summary = JSON.stringify(before.segments);
      const inputs = sampleInputs(table);
      const plain = inputs.map((x) => evaluate(table, x));
      let live = 0;
      for (const bump of bumpsOf(table)) {
        const changes = inputs.some((x, i) => evaluate(bump.table, x) !== plain[i]);
        if (isListed(before.dead, bump)) expect(changes).toBe(false);
        if (!changes) continue;
        live++;
        expect(JSON.stringify(certificateOf(bump.table).segments)).not.toBe(summary);
      }
      expect(live).toBeGreaterThan(30);
    },
  );

  it("of a tail that then overflows is refused", () => {
    const slopes = TABLES.gelu.coefficients[1] as readonly number[];
    const steeper: Table = {
      ...TABLES.gelu,
      coefficients: [TABLES.gelu.coefficients[0] as number[], slopes.with(-1, nextUp32(1))],
    };
    expect(() => certificateOf(steeper)).toThrow(/not finite/);
  });

  it("of a bfloat16 table is decided by every code: entries are listed as dead exactly if no output changes", () => {
    const table: Table = {
      ...TABLES.gelu,
      spec: { ...TABLES.gelu.spec, input: BFLOAT16, output: BFLOAT16, domain: { lo: -20, hi: 20 } },
    };
    const { dead } = certificateOf(table);
    const codes = allCodes(BFLOAT16).filter((x) => Math.abs(x) <= 20);
    const plain = codes.map((x) => evaluate(table, x));
    for (const bump of bumpsOf(table)) {
      expect(isListed(dead, bump)).toBe(codes.every((x, i) => evaluate(bump.table, x) === plain[i]));
    }
  });
});
