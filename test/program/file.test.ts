// Programs as files: what is written is read again, in equal bytes; what is damaged or hostile is refused and never hangs.
import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { random } from "../../packages/lutra/src/num/index.ts";
import { crc32 } from "../../packages/lutra/src/program/crc32.ts";
import { interpret, readProgram, writeProgram } from "../../packages/lutra/src/program/index.ts";
import { classifier } from "./programs.ts";

const PROGRAM = classifier();
const FILE = writeProgram(PROGRAM);

function refused(bytes: Uint8Array<ArrayBuffer>): LutraError {
  try {
    readProgram(bytes);
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error("was read");
}

/** The file with its header's text changed, and its sums made right again. */
function withHeader(change: (text: string) => string): Uint8Array<ArrayBuffer> {
  const view = new DataView(FILE.buffer);
  const length = view.getUint32(12, true);
  const start = Math.ceil((32 + length) / 64) * 64;
  const header = new TextEncoder().encode(change(new TextDecoder().decode(FILE.subarray(32, 32 + length))));
  const data = FILE.subarray(start);
  const at = Math.ceil((32 + header.length) / 64) * 64;
  const bytes = new Uint8Array(at + data.length);
  bytes.set(FILE.subarray(0, 32));
  bytes.set(header, 32);
  bytes.set(data, at);
  const out = new DataView(bytes.buffer);
  out.setUint32(12, header.length, true);
  out.setUint32(16, crc32(header), true);
  return bytes;
}

describe("a program's file", () => {
  it("is read as the program that was written, its constants in place", () => {
    const read = readProgram(FILE);
    expect(toJson(read)).toBe(toJson(PROGRAM));
    expect(read.constants.weights?.buffer).toBe(FILE.buffer);
    const x = { shape: [2, 12], data: Int8Array.from({ length: 24 }, (_, i) => 5 * i - 60) };
    expect(interpret(read, { x })).toEqual(interpret(PROGRAM, { x }));
  });

  it("has the same bytes for equal programs, whatever the order of their fields", () => {
    expect(writeProgram(readProgram(FILE))).toEqual(FILE);
    const turned = Object.fromEntries(Object.entries(PROGRAM.tensors).reverse());
    const constants = Object.fromEntries(Object.entries(PROGRAM.constants));
    expect(writeProgram({ ...PROGRAM, tensors: turned, constants })).toEqual(FILE);
  });

  it("has the checksums of zip, where Node knows them", () => {
    for (const length of [0, 1, 7, 8, 9, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      if (typeof zlibCrc32 === "function") expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    }
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});

describe("a damaged file", () => {
  it("is refused whichever byte is changed, and wherever it ends", () => {
    for (let i = 0; i < FILE.length; i++) {
      const damaged = FILE.slice();
      damaged[i] = (damaged[i] as number) ^ 0x10;
      expect(refused(damaged).code, `byte ${i}`).toBe("bad-model");
      expect(refused(FILE.slice(0, i)).code).toBe("bad-model");
    }
    expect(refused(Uint8Array.of(...FILE, 0)).message).toContain("bytes instead of");
  });

  it("says what is wrong", () => {
    expect(refused(new Uint8Array(100)).message).toBe("not a lutra program");
    const newer = FILE.slice();
    newer[8] = 2;
    expect(refused(newer)).toMatchObject({
      message: "the program has version 2 of the format",
      note: "this lutra reads version 1",
    });
    const huge = FILE.slice();
    huge.fill(0xff, 12, 16);
    expect(refused(huge).message).toContain("is over the limit of");
    const damaged = FILE.slice();
    damaged[FILE.length - 1] = (damaged[FILE.length - 1] as number) ^ 1;
    expect(refused(damaged).message).toContain("its checksums differ");
  });
});

describe("a hostile header with right checksums", () => {
  it.each([
    [(): string => "{", "the header is no JSON"],
    [(): string => "[]", "must be an object"],
    [(text: string): string => text.replace('"op":"argmax"', '"op":"launch"'), "must be one of product"],
    [(text: string): string => text.replace('"kernel":0', '"kernel":7'), "must be an integer from 0 to 1, got 7"],
    [(text: string): string => text.replace('["i8",64,60]', '["i8",64,6000]'), "are not in the data"],
    [(text: string): string => text.replace('["i8",64,60]', '["f64",64,60]'), "f64 is no lane"],
    [(text: string): string => text.replace('"lane":"i32"', '"lane":"i64"'), ""],
    [(text: string): string => text.replace('"shape":["n",12]', '"shape":["n",1e9]'), "do not match"],
    [(text: string): string => text.replace('"args":[0,', '"args":[9,'), "does not come before it"],
  ])("is refused with the fault %#", (change, message) => {
    expect(refused(withHeader(change)).message).toContain(message);
  });

  it("cannot make one list of the data many lists of numbers", () => {
    const list = '{"codes":["i8",0,16]}';
    const many = withHeader((text) => text.replace('"states":[]', `"states":[${Array(1000).fill(list).join()}]`));
    expect(refused(many).message).toContain("must be a text");
    const inKernel = withHeader((text) => text.replace('"results":[', `"results":[${Array(1000).fill(list).join()},`));
    expect(refused(inKernel).message).toContain("the lists are longer than the data");
  });

  it("gives an error of its own, never another, for 3000 seeded changes of its values", () => {
    const source = random(11);
    const pick = (count: number): number => Math.floor(source.uniform() * count);
    const odd = [
      null,
      -1,
      2 ** 53,
      0.5,
      "",
      "__proto__",
      [],
      {},
      true,
      "n",
      "Infinity",
      [[[]]],
      { op: "add", args: [] },
    ];
    let accepted = 0;
    for (let round = 0; round < 3000; round++) {
      const bytes = withHeader((text) => {
        const places = [...text.matchAll(/(?<=[:[,])("[^"]*"|-?\d+)(?=[,\]}])/g)];
        const place = places[pick(places.length)] as RegExpMatchArray;
        const at = place.index as number;
        return text.slice(0, at) + JSON.stringify(odd[pick(odd.length)]) + text.slice(at + place[0].length);
      });
      try {
        readProgram(bytes);
        accepted++;
      } catch (error) {
        if (!(error instanceof LutraError)) throw error;
      }
    }
    expect(accepted).toBeLessThan(600);
  });

  it("nests without end and is refused", () => {
    const deep = `${'{"op":"add","args":['.repeat(20)}1${"]}".repeat(20)}`;
    expect(refused(withHeader((text) => text.replace('"shape":["n",12]', `"shape":[${deep},12]`))).message).toContain(
      "nest at most",
    );
    const deeper = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(refused(withHeader((text) => text.replace('["n",12]', deeper))).code).toBe("bad-model");
  });
});
