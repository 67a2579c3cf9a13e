// The assembler: what it accepts is valid WebAssembly with the meaning of the specification; what it does not, it refuses at once.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Code,
  f32,
  get,
  i32,
  i64,
  load,
  type Operation,
  op,
  repeatWhile,
  select,
  set,
  store,
  tee,
  when,
} from "../../../packages/lutra/src/target/wasm/assembler.ts";
import { signed, unsigned } from "../../../packages/lutra/src/target/wasm/assembler-bytes.ts";
import { CORE, RELAXED, SATURATING, SIMD } from "../../../packages/lutra/src/target/wasm/assembler-instructions.ts";
import { assemble, FunctionBuilder } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import { describeWith } from "../../shared.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly f: (...args: readonly number[]) => number;
}

function instantiate(bytes: Uint8Array<ArrayBuffer>): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
}

describe("control", () => {
  test("a loop runs while its condition holds, a when only if", () => {
    const builder = new FunctionBuilder(["i32"], "i32");
    const [n] = builder.parameters as [(typeof builder.parameters)[0]];
    const sum = builder.local("i32");
    const f = builder.finish(
      when(get(n), repeatWhile(tee(n, op("i32.sub", get(n), i32(1))), set(sum, op("i32.add", get(sum), get(n))))),
      select(get(sum), i32(-1), get(sum)),
    );
    const exports = instantiate(assemble({ functions: { f }, globals: {}, data: [], memoryBytes: 0 }));
    expect([0, 1, 4, 10].map((count) => exports.f(count))).toEqual([-1, 1, 10, 55]);
  });

  test("what would not be valid is refused while it is built", () => {
    const x: Code = f32(1);
    expect(() => op("i32.add", i32(1), x)).toThrow("i32.add takes (i32, i32), got (i32, f32)");
    expect(() => op("f32.floor", x, x)).toThrow(TypeError);
    expect(() => store("f32.store", i32(0), i32(0))).toThrow(TypeError);
    expect(() => when(x)).toThrow("a condition is an i32");
    expect(() => repeatWhile(i32(0), x)).toThrow("a f32 is left behind");
    expect(() => set({ type: "i32", index: 0 }, x)).toThrow("the local is i32, the value f32");
    expect(() => new FunctionBuilder([], "i32").finish(x)).toThrow("the function gives i32, its body f32");
  });
});

describe("numbers", () => {
  test("in LEB128 decode to themselves, in as few bytes as can be", () => {
    const decode = (bytes: readonly number[]): bigint =>
      bytes.reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.integer(), (natural, integer) => {
        expect(decode(unsigned(natural))).toBe(BigInt(natural));
        const bytes = signed(integer);
        expect(BigInt.asIntN(7 * bytes.length, decode(bytes))).toBe(BigInt(integer));
        expect(bytes.length === 1 || BigInt.asIntN(7 * bytes.length - 7, BigInt(integer)) !== BigInt(integer)).toBe(
          true,
        );
      }),
      { seed: 6 },
    );
  });
});

describeWith({ command: "wasm-validate" }, "wabt", () => {
  test.each([
    ["one value", { ...CORE, ...SATURATING }],
    ["SIMD", SIMD],
    ["relaxed SIMD", RELAXED],
  ])("finds nothing wrong with a module of all instructions of %s", (_name, table) => {
    const builder = new FunctionBuilder(["i32"], null);
    const [address] = builder.parameters.map(get) as [Code];
    const operands: Readonly<Record<string, Code>> = {
      v: load("v128.load", address),
      i: i32(3),
      l: i64(3),
      f: f32(1),
      d: op("f64.promote_f32", f32(1)),
    };
    const all = (Object.entries(table) as [Operation, readonly [number, string]][]).map(([name, [, signature]]) => {
      const [wanted = ""] = signature.split(">");
      const code = op(name, ...Array.from(wanted, (letter) => operands[letter] as Code));
      if (code.type === "v128") return store("v128.store", address, code);
      if (code.type === "f64") return store("f32.store", address, op("f32.demote_f64", code));
      return store(`${code.type as "i32" | "i64" | "f32"}.store`, address, code);
    });
    const f = builder.finish(...all);
    const folder = mkdtempSync(join(tmpdir(), "lutra-wasm-"));
    try {
      writeFileSync(
        join(folder, "all.wasm"),
        assemble({ functions: { f }, globals: { one: 1 }, data: [], memoryBytes: 1 }),
      );
      execFileSync("wasm-validate", ["--enable-relaxed-simd", join(folder, "all.wasm")]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
