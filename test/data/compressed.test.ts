import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadDataset, parseDescription, readIdx, readNpz } from "../../packages/lutra/src/data/index.ts";
import { idx, npyFloats, npyInts, text, zip } from "./bytes.ts";
import { failure } from "./errors.ts";

describe("readNpz", () => {
  const x = npyFloats([2, 2], [1, 2, 3, 4]);
  const y = npyInts([2], [0, 1]);

  it("reads stored and deflated entries by name", () => {
    const arrays = readNpz(
      zip([
        { name: "x.npy", content: x },
        { name: "y.npy", content: y, deflate: true },
      ]),
    );
    expect(Object.keys(arrays)).toEqual(["x", "y"]);
    expect([...arrays.x.data]).toEqual([1, 2, 3, 4]);
    expect(arrays.y.shape).toEqual([2]);
  });

  it("is not misled by entries named like parts of every object", () => {
    const arrays = readNpz(
      zip([
        { name: "toString.npy", content: y },
        { name: "notes.txt", content: text("hello") },
      ]),
    );
    expect(Object.keys(arrays)).toEqual(["toString"]);
  });

  it("refuses a bomb before inflating it", async () => {
    const zeros = new Uint8Array(1_000_000);
    const huge = zip([{ name: "x.npy", content: zeros, deflate: true, declared: 2 ** 31 }]);
    expect((await failure(() => readNpz(huge, "a.npz"))).message).toMatch(/inflates to 2147483648 bytes/);
    const lying = zip([{ name: "x.npy", content: text("x"), declared: 100_000 }]);
    expect((await failure(() => readNpz(lying, "a.npz"))).message).toMatch(/cannot inflate/);
    const many = zip(Array.from({ length: 5000 }, (_, i) => ({ name: `${i}`, content: text("") })));
    expect((await failure(() => readNpz(many, "a.npz"))).message).toMatch(/4096 entries/);
  });

  it("does not write past the declared size", async () => {
    const short = zip([{ name: "x.npy", content: x, deflate: true, declared: 10 }]);
    expect((await failure(() => readNpz(short, "a.npz"))).where).toBe("a.npz: x");
  });

  it("names the entry that is broken", async () => {
    const broken = zip([{ name: "x.npy", content: x.subarray(0, x.length - 1) }]);
    expect((await failure(() => readNpz(broken, "a.npz"))).where).toBe("a.npz: x");
    expect((await failure(() => readNpz(text("PK\u0003\u0004"), "a.npz"))).message).toMatch(/cannot read the zip/);
  });
});

describe("readIdx", () => {
  it("reads big-endian elements of every type", () => {
    expect([...readIdx(idx(0x08, [3], Uint8Array.of(0, 7, 255))).data]).toEqual([0, 7, 255]);
    expect([...readIdx(idx(0x09, [2], Uint8Array.of(0x80, 1))).data]).toEqual([-128, 1]);
    expect([...readIdx(idx(0x0b, [2], Uint8Array.of(0xff, 0xfe, 1, 0))).data]).toEqual([-2, 256]);
    expect([...readIdx(idx(0x0c, [1], Uint8Array.of(0, 1, 0, 0))).data]).toEqual([65536]);
    expect([...readIdx(idx(0x0d, [1], Uint8Array.of(0x3f, 0x80, 0, 0))).data]).toEqual([1]);
    expect([...readIdx(idx(0x0e, [1], Uint8Array.of(0x3f, 0xf0, 0, 0, 0, 0, 0, 0))).data]).toEqual([1]);
    expect(readIdx(idx(0x08, [2, 2], new Uint8Array(4))).shape).toEqual([2, 2]);
  });

  it("refuses a header that does not fit", async () => {
    expect((await failure(() => readIdx(idx(0x08, [5], new Uint8Array(4)), "a.idx"))).message).toMatch(/needs 5 bytes/);
    expect((await failure(() => readIdx(idx(0x08, [2 ** 31, 4], new Uint8Array(4))))).message).toMatch(/limit/);
    expect((await failure(() => readIdx(Uint8Array.of(0, 0, 8, 200, 1)))).message).toMatch(/200 dimensions/);
    expect((await failure(() => readIdx(Uint8Array.of(0, 0, 7, 1)))).message).toMatch(/not an idx/);
  });
});

describe("gzip", () => {
  const load = (file: Uint8Array): Promise<unknown> =>
    loadDataset(
      parseDescription(text('{"name": "d", "inputs": {"x": {"file": "a.gz", "type": "float32"}}}'), "d.json"),
      () => Promise.resolve(file),
    );

  it("is undone for every format", async () => {
    await expect(load(gzipSync(npyFloats([2, 1], [1, 2])))).resolves.toMatchObject({ name: "d" });
    await expect(load(gzipSync(idx(8, [2, 1], Uint8Array.of(1, 2))))).resolves.toMatchObject({ name: "d" });
  });

  it("refuses a bomb, a lie and a stump", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(1000)));
    bomb.set([0, 0, 0, 0x60], bomb.length - 4);
    expect((await failure(() => load(bomb))).message).toMatch(/inflates to 1610612736 bytes/);
    bomb.set([0, 0, 0, 1], bomb.length - 4);
    expect((await failure(() => load(bomb))).message).toMatch(/cannot inflate/);
    expect((await failure(() => load(bomb.subarray(0, 12)))).message).toMatch(/truncated/);
  });
});
