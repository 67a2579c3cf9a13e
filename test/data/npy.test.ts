import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readNpy } from "../../packages/lutra/src/data/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { bytesOf, npy, npyFloats } from "./bytes.ts";
import { failure } from "./errors.ts";

describe("readNpy", () => {
  it("reads every number type, little- and big-endian", () => {
    const cases: readonly [descr: string, data: ArrayBufferView, values: readonly (number | bigint)[]][] = [
      ["|b1", Uint8Array.of(0, 1), [0, 1]],
      ["|i1", Int8Array.of(-128, 127), [-128, 127]],
      ["|u1", Uint8Array.of(0, 255), [0, 255]],
      ["<i2", Int16Array.of(-32768, 32767), [-32768, 32767]],
      ["<u2", Uint16Array.of(0, 65535), [0, 65535]],
      ["<i4", Int32Array.of(-(2 ** 31), 7), [-(2 ** 31), 7]],
      ["<u4", Uint32Array.of(0, 2 ** 32 - 1), [0, 2 ** 32 - 1]],
      ["<i8", BigInt64Array.of(-(2n ** 63n), 7n), [-(2n ** 63n), 7n]],
      ["<u8", BigUint64Array.of(0n, 2n ** 63n - 1n), [0n, 2n ** 63n - 1n]],
      ["<f2", Uint16Array.of(0x3c00, 0xc000), [1, -2]],
      ["<f4", Float32Array.of(0.1, -3), [Math.fround(0.1), -3]],
      ["<f8", Float64Array.of(0.1, -3), [0.1, -3]],
    ];
    for (const [descr, data, values] of cases) {
      const bytes = bytesOf(data);
      const width = bytes.length / 2;
      const swapped = Uint8Array.from(bytes, (_, i) => bytes[i - (i % width) + width - 1 - (i % width)]);
      expect([...readNpy(npy(descr, [2], bytes)).data], descr).toEqual(values);
      expect([...readNpy(npy(descr.replace("<", ">"), [2], swapped)).data], `${descr} swapped`).toEqual(values);
    }
  });

  it("widens every binary16 exactly", () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const { data } = readNpy(npy("<f2", [65536], bytesOf(codes)));
    codes.forEach((code, i) => {
      const sign = code & 0x8000 ? -1 : 1;
      const exponent = (code >> 10) & 31;
      const mantissa = code & 1023;
      const finite = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
      const value = exponent < 31 ? finite : mantissa === 0 ? Infinity : Number.NaN;
      if (!Object.is(data[i], sign * value)) expect.fail(`code ${code}: ${data[i]}`);
    });
  });

  it("reads a file at an odd offset of a larger buffer, as Node's file reading gives it", () => {
    const file = npyFloats([2], [1, 2]);
    const pool = Buffer.alloc(file.length + 3);
    pool.set(file, 3);
    expect([...readNpy(pool.subarray(3)).data]).toEqual([1, 2]);
  });

  it("reads shapes of any rank", () => {
    expect(readNpy(npyFloats([], [5])).shape).toEqual([]);
    expect(readNpy(npyFloats([2, 1, 3], [1, 2, 3, 4, 5, 6])).shape).toEqual([2, 1, 3]);
    expect(readNpy(npyFloats([0, 3], [])).data.length).toBe(0);
  });

  it("refuses what it does not read, and says what and where", async () => {
    const header =
      (dict: string): (() => unknown) =>
      () =>
        readNpy(npy("", [], new Uint8Array(8), dict), "a.npy");
    const cases: readonly [run: () => unknown, message: RegExp][] = [
      [header("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }"), /Fortran order/],
      [header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"), /dtype '<c8'/],
      [header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), /dtype '\|O'/],
      [header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), /structured/],
      [header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"), /shape/],
      [header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999), }"), /limit/],
      [header("{'descr': '<f4', 'fortran_order': False, }"), /'shape'/],
      [() => readNpy(npyFloats([3], [1, 2]), "a.npy"), /needs 12 bytes, the file holds 8/],
      [() => readNpy(new Uint8Array(0), "a.npy"), /not a \.npy file/],
      [() => readNpy(npyFloats([1], [1]).subarray(0, 20), "a.npy"), /header of/],
      [
        () => readNpy(npy("<u8", [1], bytesOf(BigUint64Array.of(2n ** 63n))), "a.npy"),
        /below 2\^63, got 9223372036854775808/,
      ],
    ];
    for (const [run, message] of cases) {
      const error = await failure(run);
      expect(error.code).toBe("bad-data");
      expect(error.message).toMatch(message);
      expect(error.where).toContain("a.npy");
    }
  });
});

describeShared("readNpy on real files", () => {
  it("reads the keyword features", () => {
    const path = sharedPath("data/speech_commands_v002_test_dev/mfcc_f16.npy");
    const { shape, data } = readNpy(readFileSync(path), path);
    expect(shape).toEqual([1709, 98, 40]);
    expect(data).toBeInstanceOf(Float32Array);
    expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
  });
});
