import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDescription } from "../../packages/lutra/src/data/index.ts";
import { ROOT } from "../shared.ts";
import { text } from "./bytes.ts";
import { failure } from "./errors.ts";

const INPUTS = { ids: { file: "x.npz", key: "ids", type: "int64", length: { file: "x.npz", key: "length" } } };

function parse(json: unknown): ReturnType<typeof parseDescription> {
  return parseDescription(text(JSON.stringify(json)), "d.json");
}

describe("parseDescription", () => {
  it("fills in what is left out", () => {
    expect(parse({ name: "d", inputs: { x: { file: "x.npy", type: "float32" } } })).toEqual({
      name: "d",
      inputs: { x: { from: "file", file: "x.npy", type: "float32", scale: 1, mean: 0, std: 1 } },
      target: null,
      output: null,
      scores: "logits",
      metrics: [],
      splits: { calibration: 0, selection: 0, report: null, seed: 1, shuffle: true },
      calibration: null,
    });
  });

  it("chooses the metrics of each kind of target, the headline first", () => {
    const metrics = (target: unknown): unknown => parse({ name: "d", inputs: INPUTS, target }).metrics;
    expect(metrics({ kind: "labels", file: "y.npy" })).toEqual(["accuracy", "nll"]);
    expect(metrics({ kind: "next-token", input: "ids" })).toEqual(["nll", "perplexity"]);
    expect(metrics({ kind: "masked-token", file: "y.npy" })).toEqual(["accuracy", "nll"]);
  });

  it("reads every description that comes with the project", () => {
    const folder = `${ROOT}/examples/datasets`;
    const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) expect(parseDescription(readFileSync(`${folder}/${file}`), file).name).not.toBe("");
  });

  it("reads every example of its documentation", () => {
    const document = readFileSync(`${ROOT}/examples/datasets/README.md`, "utf8");
    const examples = [...document.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    expect(examples.length).toBeGreaterThanOrEqual(3);
    for (const example of examples) expect(parseDescription(text(example), "README.md").name).not.toBe("");
  });

  it("names the field of what is wrong", async () => {
    const x = { file: "x.npy", type: "float32" };
    const cases: readonly [json: unknown, where: string, message: RegExp][] = [
      [[], "d.json", /must be an object, got \[\]/],
      [{ inputs: { x } }, "d.json", /"name" is missing/],
      [{ name: "", inputs: { x } }, "d.json: name", /not empty/],
      [{ name: "d" }, "d.json", /"inputs" is missing/],
      [{ name: "d", inputs: {} }, "d.json: inputs", /1 to 64 inputs, got 0/],
      [{ name: "d", inputs: { x }, splitz: {} }, "d.json", /unknown field "splitz"/],
      [{ name: "d", inputs: { x: { ...x, type: "float8" } } }, "d.json: inputs.x.type", /got "float8"/],
      [{ name: "d", inputs: { x: { ...x, std: 0 } } }, "d.json: inputs.x.std", /positive, got 0/],
      [{ name: "d", inputs: { x: { ...x, shape: [1, -2] } } }, "d.json: inputs.x.shape[1]", /got -2/],
      [{ name: "d", inputs: { x: { ...x, scale: "2" } } }, "d.json: inputs.x.scale", /finite number, got "2"/],
      [
        { name: "d", inputs: { m: { mask: "x", type: "int64" }, x: { zeros: "m", type: "int64" } } },
        "d.json: inputs.m.mask",
        /"x"/,
      ],
      [{ name: "d", inputs: { m: { mask: "toString", type: "int64" } } }, "d.json: inputs.m.mask", /"toString"/],
      [
        { name: "d", inputs: { x: { random: { count: 1, shape: [2], below: 0, seed: 1 }, type: "int64" } } },
        "d.json: inputs.x.random.below",
        /got 0/,
      ],
      [{ name: "d", inputs: { x: { ...x, windows: { size: 4, step: 0 } } } }, "d.json: inputs.x.windows.step", /got 0/],
      [
        { name: "d", inputs: { x: { ...x, windows: { size: 4, step: 1, before: 4 } } } },
        "d.json: inputs.x.windows.before",
        /between 0 and 3, got 4/,
      ],
      [
        { name: "d", inputs: { x: { text: { file: "t.csv", column: 0 }, tokenizer: {}, type: "int64" } } },
        "d.json: inputs.x.text.column",
        /got 0/,
      ],
      [
        { name: "d", inputs: { x: { text: { file: "t.csv", column: "a" }, tokenizer: {}, type: "int64" } } },
        "d.json: inputs.x.tokenizer",
        /which tokenizer/,
      ],
      [{ name: "d", inputs: { x, h: { carry: "y", type: "float32" } } }, "d.json: inputs.h", /"shape" is missing/],
      [{ name: "d", inputs: { x }, scores: "odds" }, "d.json: scores", /one of logits, probabilities/],
      [{ name: "d", inputs: { x }, splits: { shuffle: 0 } }, "d.json: splits.shuffle", /true or false, got 0/],
      [{ name: "d", inputs: { x }, target: { kind: "label" } }, "d.json: target.kind", /got "label"/],
      [{ name: "d", inputs: { x }, target: { kind: "next-token", input: "y" } }, "d.json: target.input", /one of x/],
      [{ name: "d", inputs: { x }, metrics: ["accuracy"] }, "d.json: metrics", /without a target/],
      [{ name: "d", inputs: { x }, splits: { calibration: 1.5 } }, "d.json: splits.calibration", /got 1.5/],
      [
        { name: "d", inputs: { x }, splits: { calibration: 5 }, calibration: { inputs: { x } } },
        "d.json: splits.calibration",
        /5 samples/,
      ],
    ];
    for (const [json, where, message] of cases) {
      const error = await failure(() => parse(json));
      expect(error.code).toBe("bad-data");
      expect(error.where).toBe(where);
      expect(error.message).toMatch(message);
    }
  });

  it("refuses what is not JSON, not text or too long", async () => {
    expect((await failure(() => parseDescription(text("{"), "d.json"))).message).toMatch(/not JSON/);
    expect((await failure(() => parseDescription(Uint8Array.of(0xff), "d.json"))).message).toMatch(/UTF-8/);
    expect((await failure(() => parseDescription(new Uint8Array(2_000_000), "d.json"))).message).toMatch(/limit/);
    expect((await failure(() => parseDescription(new Uint8Array(0), "d.json"))).where).toBe("d.json");
  });
});
