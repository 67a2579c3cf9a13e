import { describe, expect, it } from "vitest";
import { LutraError, type Session } from "../../packages/lutra/src/base/index.ts";
import type { Dataset } from "../../packages/lutra/src/data/index.ts";
import { compareScores, score } from "../../packages/lutra/src/model/index.ts";
import { npyFloats, npyInts } from "../data/bytes.ts";
import { failure } from "../data/errors.ts";
import { load } from "../data/fixture.ts";
import { sessionOf, tensor } from "./fixture.ts";

/** Samples are their own logits: three classes. */
function classified(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  metrics?: readonly string[],
): Promise<Dataset> {
  const files = { "x.npy": npyFloats([rows.length, 3], rows.flat()), "y.npy": npyInts([labels.length], labels) };
  const target = { kind: "labels", file: "y.npy" };
  return load({ inputs: { x: { file: "x.npy", type: "float32" } }, target, ...(metrics ? { metrics } : {}) }, files);
}

const echo: Session = sessionOf(({ x }) => ({ logits: x }));

describe("score", () => {
  it("measures accuracy and NLL", async () => {
    const dataset = await classified(
      [
        [0, 0, 0],
        [2, 1, 0],
        [-1000, 0, 1000],
      ],
      [2, 0, 2],
    );
    const { metrics, samples, rows } = await score(echo, dataset, "all");
    expect({ samples, rows }).toEqual({ samples: 3, rows: 3 });
    expect(metrics.accuracy).toBeCloseTo(2 / 3, 15);
    expect(metrics.nll).toBeCloseTo((Math.log(3) + Math.log(1 + Math.exp(-1) + Math.exp(-2)) + 0) / 3, 14);
  });

  it("measures perplexity over the tokens, of one sequence per sample", async () => {
    const ids = { file: "x.npy", type: "int64", length: { pad: 0 } };
    const dataset = await load(
      { inputs: { ids }, target: { kind: "next-token", input: "ids" } },
      { "x.npy": npyInts([2, 3], [1, 2, 3, 1, 2, 0]) },
    );
    // The session gives every class but the next token (id + 1) the logit 0, and that one log 3, of 4.
    const model = sessionOf(({ ids: { shape, data } }) => {
      const logits = [...data].flatMap((id) => [0, 1, 2, 3].map((c) => (c === Number(id) + 1 ? Math.log(3) : 0)));
      return { logits: tensor([...shape, 4], logits) };
    });
    const { metrics, rows } = await score(model, dataset, "all");
    expect(rows).toBe(3);
    expect(metrics.perplexity).toBeCloseTo(2, 6);
    expect(Object.keys(metrics)).toEqual(["nll", "perplexity"]);
  });

  it("does not depend on how samples are batched", async () => {
    const rows = Array.from({ length: 17 }, (_, i) => [i % 3, i % 5, i % 7]);
    const dataset = await classified(
      rows,
      rows.map((_, i) => i % 3),
    );
    const [one, many] = [
      await score(echo, dataset, "all", {}, { batchSize: 1 }),
      await score(echo, dataset, "all", {}, { batchSize: 8 }),
    ];
    expect(many).toEqual(one);
  });

  it("takes a model without batch dimension, and drops the rows of padding without a target", async () => {
    const inputs = { ids: { file: "x.npy", type: "int64", length: { pad: 0 } }, mask: { mask: "ids", type: "int64" } };
    const dataset = await load({ inputs }, { "x.npy": npyInts([2, 3], [1, 2, 3, 4, 0, 0]) });
    const model = sessionOf(({ ids: { shape, data } }) => ({ y: tensor([...shape, 1], [...data].map(Number)) }));
    const { logits, rows, metrics } = await score(model, dataset, "all");
    expect(logits).toEqual({ scores: "logits", columns: 1, samples: [Float32Array.of(1, 2, 3), Float32Array.of(4)] });
    expect({ rows, metrics }).toEqual({ rows: 4, metrics: {} });
  });

  it("reports progress and stops when cancelled", async () => {
    const dataset = await classified(
      [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
      ],
      [0, 0, 0],
    );
    const seen: number[] = [];
    await score(echo, dataset, "all", { onProgress: ({ done }) => seen.push(done) }, { batchSize: 2 });
    expect(seen).toEqual([0, 2, 3]);
    const abort = new AbortController();
    const control = { signal: abort.signal, onProgress: () => abort.abort() };
    expect((await failure(() => score(echo, dataset, "all", control, { batchSize: 1 }))).code).toBe("cancelled");
  });

  it("refuses outputs that do not fit, naming the sample", async () => {
    const dataset = await classified(
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
      [0, 2],
    );
    const narrow = sessionOf(() => ({ logits: tensor([2, 2], [1, 0, 1, 0]) }));
    const cases: readonly [session: Session, code: string, message: RegExp, where?: string][] = [
      [narrow, "mismatch", /class 2 is asked for, the output has 2/, "sample 1"],
      [
        sessionOf(() => ({ a: tensor([2, 3], [1, 2, 3, 1, 2, 3]), b: tensor([2], [1, 2]) })),
        "mismatch",
        /several outputs/,
      ],
      [sessionOf(() => ({ logits: tensor([3, 1], [1, 2, 3]) })), "mismatch", /not one of 2 samples/],
      [
        sessionOf(() => ({ logits: tensor([2, 3], [1, 2, 3, 1, Number.NaN, 3]) })),
        "bad-model",
        /NaN/,
        "sample 1, class 1",
      ],
      [sessionOf(() => Promise.reject(new LutraError("mismatch", "no")) as never), "mismatch", /no/],
    ];
    for (const [session, code, message, where] of cases) {
      const error = await failure(() => score(session, dataset, "all"));
      expect([error.code, error.where]).toEqual([code, where]);
      expect(error.message).toMatch(message);
    }
    expect((await failure(() => score(echo, dataset, "selection"))).message).toMatch(/selection split of "d" is empty/);
  });
});

describe("compareScores", () => {
  it("counts flips and differences over all logits", async () => {
    const dataset = await classified(
      [
        [1, 0, 0],
        [0, 3, 0],
        [0, 0, 2],
      ],
      [0, 0, 0],
    );
    const shifted = sessionOf(({ x: { shape, data } }) => ({
      y: tensor(
        shape,
        [...data].map((v, i) => Number(v) + (i === 1 ? 1.5 : 0)),
      ),
    }));
    const before = await score(echo, dataset, "all");
    expect(compareScores(before, before)).toEqual({ flips: 0, flipped: 0, rows: 3, logitError: { max: 0, mean: 0 } });
    const after = await score(shifted, dataset, "all");
    expect(compareScores(before, after)).toEqual({
      flips: 1 / 3,
      flipped: 1,
      rows: 3,
      logitError: { max: 1.5, mean: 1.5 / 9 },
    });
  });

  it("takes equal infinities as equal: classes that a model rules out", async () => {
    const dataset = await classified([[1, 0, 0]], [0]);
    const masked = sessionOf(() => ({ y: tensor([1, 3], [1, -Infinity, 0]) }));
    const before = await score(masked, dataset, "all");
    expect(before.metrics.nll).toBeCloseTo(Math.log(1 + Math.exp(-1)), 14);
    expect(compareScores(before, before).logitError).toEqual({ max: 0, mean: 0 });
    expect(compareScores(before, await score(echo, dataset, "all")).logitError.max).toBe(Infinity);
  });

  it("refuses scores of different splits or shapes", async () => {
    const dataset = await classified(
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
      [0, 0],
    );
    const wide = sessionOf(() => ({ y: tensor([2, 4], [1, 0, 0, 0, 1, 0, 0, 0]) }));
    const before = await score(echo, dataset, "all");
    const report = await score(echo, dataset, "report");
    const other = await score(wide, dataset, "all");
    expect((await failure(() => compareScores(before, report))).message).toMatch(/all split cannot be compared/);
    expect((await failure(() => compareScores(before, other))).message).toMatch(/different shapes/);
  });
});

describe("score of other tasks", () => {
  it("takes probabilities as they are, one that was rounded to 0 as the least that binary32 holds", async () => {
    const rows = [
      [0.5, 0.25, 0.25],
      [1, 0, 0],
    ];
    const dataset = { ...(await classified(rows, [1, 2])), scores: "probabilities" as const };
    const { metrics } = await score(echo, dataset, "all");
    expect(metrics).toEqual({ accuracy: 0, nll: expect.closeTo((Math.log(4) + 149 * Math.log(2)) / 2, 12) });
  });

  it("takes a single number for a decision: yes above 0, or above a probability of one half", async () => {
    const files = { "x.npy": npyFloats([3, 1], [0.25, 0.75, -1]), "y.npy": npyInts([3], [0, 1, 0]) };
    const inputs = { x: { file: "x.npy", type: "float32" } };
    const dataset = await load({ inputs, target: { kind: "labels", file: "y.npy" } }, files);
    const logits = await score(echo, dataset, "all");
    expect(logits.metrics.accuracy).toBeCloseTo(2 / 3, 15);
    const probabilities = await score(echo, { ...dataset, scores: "probabilities" }, "all");
    expect(probabilities.metrics.accuracy).toBe(1);
    const other = await score(
      sessionOf(({ x }) => ({ y: tensor(x.shape, [0.6]) })),
      dataset,
      "all",
      {},
      { batchSize: 1 },
    );
    expect(compareScores(logits, other).flipped).toBe(1);
  });

  it("counts the samples that are right in every row", async () => {
    const files = { "x.npy": npyFloats([2, 2, 2], [1, 0, 0, 1, 1, 0, 1, 0]), "y.npy": npyInts([2, 2], [0, 1, 0, 1]) };
    const dataset = await load(
      {
        inputs: { x: { file: "x.npy", type: "float32" } },
        target: { kind: "masked-token", file: "y.npy" },
        metrics: ["sequence-accuracy", "accuracy"],
      },
      files,
    );
    expect((await score(echo, dataset, "all")).metrics).toEqual({ "sequence-accuracy": 0.5, accuracy: 0.75 });
  });

  it("carries a state from sample to sample, in each pass from 0", async () => {
    const state = { carry: "next", shape: [1], type: "float32" };
    const dataset = await load(
      { inputs: { x: { file: "x.npy", type: "float32" }, state }, output: "sum" },
      { "x.npy": npyFloats([3], [1, 2, 3]) },
    );
    const adding = sessionOf(({ x, state: { shape, data } }) => {
      const sum = Number(x.data[0]) + Number(data[0]);
      return { sum: tensor([1, 1], [sum]), next: tensor(shape, [sum]) };
    });
    for (const _ of [1, 2]) {
      const { logits } = await score(adding, dataset, "all");
      expect(logits.samples.map(([sum]) => sum)).toEqual([1, 3, 6]);
    }
    const broken = await failure(() =>
      score(
        sessionOf(() => ({ sum: tensor([1, 1], [1]) })),
        dataset,
        "all",
      ),
    );
    expect(broken.message).toBe('output "next" cannot be carried: it does not exist');
  });
});
