// Programs as files: what is written is read again, in equal bytes; what is damaged or hostile is refused and never hangs.
import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { random } from "../../packages/lutra/src/num/index.ts";
import { crc32 } from "../../packages/lutra/src/program/crc32.ts";
import {
  interpret,
  type Program,
  readProgram,
  type Step,
  shareKernels,
  type TensorType,
  writeProgram,
} from "../../packages/lutra/src/program/index.ts";
import { packJson } from "../../packages/lutra/src/program/pack-json.ts";
import { unpackJson } from "../../packages/lutra/src/program/unpack-json.ts";
import { classifier, programOf } from "./programs.ts";

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

const HEADER = FILE.subarray(32, 32 + new DataView(FILE.buffer).getUint32(12, true));

/** The file with its header changed as JSON text, and its sums made right again. */
function withText(change: (text: string) => string): Uint8Array<ArrayBuffer> {
  return withHeader(packJson(JSON.parse(change(toJson(unpackJson(HEADER))))));
}

function withHeader(header: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = FILE.subarray(Math.ceil((32 + HEADER.length) / 64) * 64);
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

  it("has each kernel once, whether steps share the object or not", () => {
    const [product, ...others] = PROGRAM.blocks[0]?.steps ?? [];
    const again = { ...(product as Step & { op: "product" }), results: ["again"] };
    const { tensors } = PROGRAM;
    const twice = (step: Step): Program => ({
      ...PROGRAM,
      tensors: { ...tensors, again: tensors.logits as TensorType },
      blocks: [{ name: "all", steps: [product as Step, step, ...others] }],
    });
    const copied = writeProgram(twice({ ...again, kernel: structuredClone(again.kernel) }));
    expect(copied).toEqual(writeProgram(twice(again)));
    const steps = readProgram(copied).blocks[0]?.steps as (Step & { op: "product" })[];
    expect(steps[0]?.kernel).toBe(steps[1]?.kernel);
    expect(readProgram(writeProgram(shareKernels(PROGRAM)))).toEqual(shareKernels(PROGRAM));
  });

  it("has the checksums of zip, where Node knows them", () => {
    for (const length of [0, 1, 7, 8, 9, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      if (typeof zlibCrc32 !== "function") continue;
      for (const part of [bytes, bytes.subarray(1), bytes.subarray(4)]) expect(crc32(part)).toBe(zlibCrc32(part));
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

/** A program that adds these constants to an input, each a column of its own. */
function sums(constants: Program["constants"]): Program {
  const tensors = Object.entries(constants).map(
    ([name, { length }]) => [name, { lane: "i32", shape: [length] }] as const,
  );
  return programOf(
    { x: { lane: "i32", shape: [1] }, y: { lane: "i32", shape: [1] }, ...Object.fromEntries(tensors) },
    [{ op: "reshape", input: "x", result: "y" }],
    { constants },
  );
}

describe("constants in a file", () => {
  it("have as few bytes as their numbers need where they are short, and are read as they were", () => {
    const ends = (bits: number): number[] => [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, 77];
    const constants = {
      ...{
        a: Int32Array.from(ends(8)),
        b: Int32Array.from(ends(16)),
        c: Int32Array.from(ends(24)),
        d: Int32Array.from(ends(32)),
      },
      long: new Int32Array(20_000).fill(5),
      none: new Int32Array(0),
    };
    const program = sums(constants);
    const file = writeProgram(program);
    expect(readProgram(file)).toEqual(program);
    expect(new DataView(file.buffer).getUint32(24, true)).toBe(80_000 + 5 * (4 + 3 + 2 + 1));
  });

  it("take no bytes where they count from 0, of which there are not too many", () => {
    const counting = (name: string): readonly [string, Int32Array] => [
      name,
      Int32Array.from({ length: 2 ** 14 }, (_, i) => i),
    ];
    const of = (count: number): Program => {
      const names = Array.from({ length: count }, (_, i) => `c${i}`);
      const type = { lane: "i32", shape: [2 ** 14] } as const;
      const tensors = Object.fromEntries(["y", ...names].map((name) => [name, type]));
      const constants = Object.fromEntries(names.map(counting));
      return { ...programOf(tensors, [{ op: "reshape", input: "c0", result: "y" }]), constants, inputs: [] };
    };
    const file = writeProgram(of(3));
    expect(file.length).toBeLessThan(1000);
    expect(readProgram(file).constants).toEqual(of(3).constants);
    expect(() => readProgram(writeProgram(of(65)))).toThrow("more than 1048576 numbers count");
  });

  it("are not copied where they are large, and begin at multiples of their numbers", () => {
    const tensors = {
      big: Int8Array.from({ length: 5000 }, (_, i) => i),
      x: Int8Array.of(1),
      wide: Int16Array.from({ length: 700 }, (_, i) => -i),
    };
    const program: Program = {
      ...programOf(
        {
          y: { lane: "i8", shape: [5000] },
          x: { lane: "i8", shape: [1] },
          big: { lane: "i8", shape: [5000] },
          wide: { lane: "i16", shape: [700] },
        },
        [{ op: "reshape", input: "big", result: "y" }],
      ),
      constants: tensors,
      inputs: [],
    };
    const file = writeProgram(program);
    const { constants } = readProgram(file);
    expect(constants).toEqual(tensors);
    for (const name of ["big", "wide"]) {
      expect(constants[name]?.buffer).toBe(file.buffer);
      expect((constants[name]?.byteOffset as number) % (constants[name]?.BYTES_PER_ELEMENT as number)).toBe(0);
    }
  });
});

describe("a packed header", () => {
  const source = random(3);
  const pick = (count: number): number => Math.floor(source.uniform() * count);
  const texts = ["", "a", "ab", "v10", "v11", "ä€", "constructor", "x".repeat(200)];
  const value = (depth: number): unknown => {
    const kind = pick(depth > 0 ? 9 : 6);
    if (kind === 0) return [null, true, false][pick(3)];
    if (kind === 1) return pick(200) - 100;
    if (kind === 2) return [2 ** 51, -(2 ** 51), 2 ** 53, -0, 0.1, Infinity, -Infinity, 63, 64, -1][pick(10)];
    if (kind === 3) return texts[pick(texts.length)];
    if (kind === 4) return Array.from({ length: pick(30) }, () => pick(2 ** pick(33)) - 2 ** pick(16));
    if (kind === 5) return Array.from({ length: pick(30) }, (_, i) => 5 - 3 * i);
    if (kind === 6) return Array.from({ length: pick(9) }, () => value(depth - 1));
    return Object.fromEntries(Array.from({ length: pick(6) }, () => [texts[pick(texts.length)], value(depth - 1)]));
  };

  it("is read as it was, for 500 seeded values", () => {
    for (let round = 0; round < 500; round++) {
      const json = value(4);
      const packed = packJson(json);
      expect(unpackJson(packed)).toEqual(json);
      expect(packJson(unpackJson(packed))).toEqual(packed);
    }
  });

  it("has equal parts once, and many texts, shapes and long lists", () => {
    const type = { lane: "i32", shape: [1, 2, 3], scale: 0.123 };
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`tensor ${i}`, type]));
    expect(packJson(many).length).toBeLessThan(11 * 5000);
    expect(unpackJson(packJson(many))).toEqual(many);
    const shapes = Array.from({ length: 100 }, (_, i) => ({ [`key ${i}`]: `text ${i}`, [`other ${i}`]: 1e6 }));
    expect(unpackJson(packJson(shapes))).toEqual(shapes);
    expect(() => packJson([Number.NaN])).toThrow("NaN has no JSON form");
    expect(() => packJson([() => 1])).toThrow("a function has no JSON form");
  });
});

describe("a hostile header with right checksums", () => {
  it.each([
    [(): string => "[]", "must be an object"],
    [(text: string): string => text.replace('"op":"argmax"', '"op":"launch"'), "must be one of product"],
    [(text: string): string => text.replace('"kernel":0', '"kernel":7'), "must be an integer from 0 to 1, got 7"],
    [(text: string): string => text.replace('"weights":1', '"weights":2'), "60 numbers of i8 have no 2 bytes each"],
    [(text: string): string => text.replace('"bias":2', '"bias":4'), "they have 80 bytes, the data 70"],
    [(text: string): string => text.replace('"bias":2,', ""), "they have 60 bytes, the data 70"],
    [(text: string): string => text.replace('"bias":2', '"bias":2,"best":1'), "its shape is in numbers"],
    [(text: string): string => text.replace('"bias":2', '"bias":2,"constructor":1'), "is not declared"],
    [(text: string): string => text.replace('"lane":"i32"', '"lane":"i64"'), ""],
    [(text: string): string => text.replace('"shape":["n",12]', '"shape":["n",1e9]'), "do not match"],
    [
      (text: string): string => text.replace('"shape":[12,5]', '"shape":[1e9,1e9]'),
      "2^53 - 1, got 1000000000000000000",
    ],
    [(text: string): string => text.replace('"shape":[12,5]', '"shape":[1e8,1e7]'), "the data 70"],
    [(text: string): string => text.replace('"args":[0,', '"args":[9,'), "does not come before it"],
    [(text: string): string => text.replace('"zeroPoint":3', '"zeroPoint":16777217'), "16777216, got 16777217"],
    [(text: string): string => text.replace('"quantization"', '"range":[1],"quantization"'), "must be two numbers"],
    [(text: string): string => text.replace('"quantization"', '"range":[1,2,3],"quantization"'), "must be two numbers"],
    [(text: string): string => text.replaceAll('"best"', '"toString"'), "toString is no name"],
    [(text: string): string => text.replaceAll('"n"', '"constructor"'), '"constructor" is no name'],
    [
      (text: string): string => text.replace('"n"', `{"op":"add","args":[${new Array(65).fill(1)}]}`),
      "at most 64 arguments, got 65",
    ],
  ])("is refused with the fault %#", (change, message) => {
    const error = refused(withText(change));
    expect(error.code).toBe("bad-model");
    expect(error.message).toContain(message);
  });

  it.each([
    ["more bytes than its contents", [0, 0, 0, 0xf2, 0xf2]],
    ["it ends too early", [0, 0, 0]],
    ["it ends too early", [0, 0, 0, 0xf6, 1, 2]],
    ["elements are not there", [0, 0, 0, 0xf7, 0xff, 0xff, 0x7f]],
    ["elements are not there", [0xff, 0xff, 0xff, 0x7f, 0, 0]],
    ["integers are not there", [0, 0, 0, 0xf8, 9, 4, 1, 2, 3]],
    ["there is no kind of list 7", [0, 0, 0, 0xf8, 9, 7, 1, 2, 3]],
    ["more than 4194304 parts", [0, 0, 0, 0xf8, 0xff, 0xff, 0xff, 0xff, 0x7f, 6, 0, 0]],
    ["a number is too long", [0, 0, 0, 0xf5, ...Array(9).fill(0xff), 0]],
    ["there is no text 0", [0, 0, 0, 0x80]],
    ["there is no shape 0", [0, 0, 0, 0x40]],
    ["there is no shared part 0", [0, 0, 1, 0xf1, 0, 0xf2]],
    ["a text is too long", [1, 1, 0, 0, 0, 0xf2]],
    ["a text is no UTF-8", [1, 0, 1, 0xff, 0, 0, 0xf2]],
    ["a key is there twice", [1, 0, 1, 0x61, 1, 2, 0, 0, 0, 0x40, 1, 2]],
    ["__proto__ is no name", [1, 0, 9, ...new TextEncoder().encode("__proto__"), 1, 1, 0, 0, 0x40, 1]],
    ["a number is NaN", [0, 0, 0, 0xf6, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
    ["it nests more than 64 deep", [0, 0, 0, ...Array(200_000).fill(0xfa), 0]],
  ])("says %s", (message, bytes) => {
    const error = refused(withHeader(Uint8Array.from(bytes)));
    expect(error).toMatchObject({ code: "bad-model", where: "header" });
    expect(error.message).toContain(message);
  });

  it("cannot make many parts of few by sharing", () => {
    // Each shared part is an array of five times the one before.
    const shared = Array.from({ length: 30 }, (_, i) => [
      0xfe,
      ...Array(5)
        .fill(i === 0 ? [0] : [0xf1, i - 1])
        .flat(),
    ]);
    const bytes = [0, 0, 30, ...shared.flat(), 0xf1, 29];
    expect(refused(withHeader(Uint8Array.from(bytes))).message).toContain("more than 4194304 parts");
  });

  it("gives an error of its own, never another, for 3000 seeded changes of its values", () => {
    const source = random(11);
    const pick = (count: number): number => Math.floor(source.uniform() * count);
    const odd = [null, -1, 2 ** 53, 0.5, "", "v", [], {}, true, "n", "Infinity", [[[]]], { op: "add", args: [] }];
    let accepted = 0;
    for (let round = 0; round < 3000; round++) {
      const bytes = withText((text) => {
        const places = [...text.matchAll(/(?<=[:[,])("[^"]*"|-?\d+)(?=[,\]}])/g)];
        const place = places[pick(places.length)] as RegExpMatchArray;
        const at = place.index as number;
        return text.slice(0, at) + JSON.stringify(odd[pick(odd.length)]) + text.slice(at + place[0].length);
      });
      accepted += isRead(bytes) ? 1 : 0;
    }
    expect(accepted).toBeLessThan(600);
  });

  it("gives an error of its own, never another, for 20000 seeded changes of its bytes", () => {
    const source = random(12);
    const pick = (count: number): number => Math.floor(source.uniform() * count);
    let accepted = 0;
    for (let round = 0; round < 20_000; round++) {
      const header = HEADER.slice();
      for (let left = 1 + pick(3); left > 0; left--) header[pick(header.length)] = pick(256);
      accepted += isRead(withHeader(header)) ? 1 : 0;
    }
    expect(accepted).toBeLessThan(10_000);
  });

  it("nests without end and is refused", () => {
    const deep = `${'{"op":"add","args":['.repeat(20)}1${"]}".repeat(20)}`;
    expect(refused(withText((text) => text.replace('"shape":["n",12]', `"shape":[${deep},12]`))).message).toContain(
      "nest at most",
    );
  });
});

/** Whether a program is read, errors of its own aside. */
function isRead(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    readProgram(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof LutraError)) throw error;
    return false;
  }
}
