// Files that bring their module along: it is the one that would be emitted, and whatever else is in its place changes no answer.
import { deflateRawSync as deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  interpret,
  moduleIn,
  type Program,
  readProgram,
  writeProgram,
} from "../../packages/lutra/src/program/index.ts";
import { programFile } from "../../packages/lutra/src/program-file.ts";
import { load } from "../../packages/lutra/src/run/index.ts";
import { madeModule } from "../../packages/lutra/src/run/program/made-module.ts";
import { emitProgram, type MadeModule, packModule } from "../../packages/lutra/src/target/wasm/index.ts";
import { classifier, plain, programOf } from "../program/programs.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";

withoutBaselineCompiler();

const inputs = { x: { shape: [3, 12], data: Int8Array.from({ length: 36 }, (_, i) => ((i * 71) % 256) - 128) } };

async function answers(bytes: Uint8Array<ArrayBuffer>, form: "simd" | "relaxed"): Promise<unknown> {
  return (await load(bytes, { form })).runCodes(inputs);
}

function fileWith(program: Program, made: MadeModule): Uint8Array<ArrayBuffer> {
  return writeProgram(program, deflateSync(packModule(made)));
}

/** Of the same input, but another kernel. */
function other(): Program {
  const weights = new Int8Array(60).fill(1);
  return programOf(
    {
      x: { lane: "i8", shape: ["n", 12] },
      weights: { lane: "i8", shape: [12, 5] },
      y: { lane: "i32", shape: ["n", 5] },
    },
    [
      {
        op: "product",
        ...{ a: "x", b: "weights", isTransposed: false, kernel: plain(), arguments: {}, results: ["y"] },
      },
    ],
    { constants: { weights } },
  );
}

describe("a program's file with its module", () => {
  const program = classifier();
  const bytes = programFile(program);
  const emitted = emitProgram(program, "relaxed");

  it("is the same each time, and the program in it is the same as without", () => {
    expect(programFile(classifier())).toEqual(bytes);
    expect(readProgram(bytes)).toEqual(readProgram(writeProgram(program)));
  });

  it("brings along what would be emitted", async () => {
    const made = await madeModule(moduleIn(bytes) as Uint8Array<ArrayBuffer>);
    expect(made?.bytes).toEqual(emitted.bytes);
    expect(made).toMatchObject({ heapBytes: emitted.heapBytes, scratch: emitted.scratch });
    expect(moduleIn(writeProgram(program))).toBe(null);
  });

  it.each(FAMILIES)("gives the interpreter's answers: %s", async (form) => {
    expect(await answers(bytes, form)).toEqual(interpret(program, inputs));
  });

  it.each<[string, MadeModule]>([
    ["of another program", emitProgram(other(), "relaxed")],
    ["without what its functions need", { ...emitted, scratch: [] }],
    ["that is none", { ...emitted, bytes: new Uint8Array(100) }],
    ["with a heap beyond its memory", { ...emitted, heapBytes: 2 ** 31 }],
  ])("is run without a module %s", async (_, made) => {
    for (const form of FAMILIES)
      expect(await answers(fileWith(program, made), form)).toEqual(interpret(program, inputs));
  });

  it("is run without the module of another file", async () => {
    const [weights] = [new Int8Array(60).fill(3)];
    const near: Program = { ...program, constants: { ...program.constants, weights } };
    const theirs = programFile(near);
    const mine = writeProgram(program);
    const module = theirs.subarray(writeProgram(near).length);
    const file = new Uint8Array(mine.length + module.length);
    file.set(mine);
    file.set(module, mine.length);
    new DataView(file.buffer).setUint32(28, module.length, true);
    expect(moduleIn(theirs)).not.toBe(null);
    expect(moduleIn(file)).toBe(null);
    for (const form of FAMILIES) expect(await answers(file, form)).toEqual(interpret(program, inputs));
  });

  it("is run without what is not inflated, or of another version", async () => {
    const packed = packModule(emitted);
    packed[0] = 99;
    for (const module of [
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
      deflateSync(packed),
      deflateSync(new Uint8Array(3)),
    ]) {
      const file = writeProgram(program, module);
      for (const form of FAMILIES) expect(await answers(file, form)).toEqual(interpret(program, inputs));
    }
  });

  it("does not inflate without end", async () => {
    expect(await madeModule(deflateSync(new Uint8Array(2 ** 26 + 1)) as Uint8Array<ArrayBuffer>)).toBe(null);
  });

  it("is refused where it is damaged, the module included", async () => {
    for (const at of [bytes.length - 1, bytes.length - 40, 28, 29]) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      await expect(load(damaged)).rejects.toThrow(LutraError);
    }
    await expect(load(bytes.slice(0, -1))).rejects.toThrow("bytes instead of");
  });
});
