// Which scheme is chosen, by trials whose outcome is known beforehand.
import { describe, expect, it } from "vitest";
import type { Trial } from "../../packages/lutra/src/model/index.ts";
import {
  type ChosenScheme,
  chooseScheme,
  type Scheme,
  type SchemeOptions,
} from "../../packages/lutra/src/model/index.ts";
import { failure } from "../data/errors.ts";

const CHOOSABLE = { attentions: ["a", "b", "c"], canMigrate: true, hasWeighedInput: true, hasGates: true };
const AUTO: SchemeOptions = { ranges: "auto", migration: "auto", attention: "auto" };

function trialOf(error: number, drop = 0, dropMargin = 0): Trial {
  const logitError = { max: error, mean: error };
  return { samples: 64, metrics: {}, drop, flips: 0, flipsMargin: 0, dropMargin, logitError };
}

async function choose(
  run: (scheme: Scheme) => Trial,
  options: Partial<SchemeOptions> = {},
  maxDrop?: number,
  choosable = CHOOSABLE,
): Promise<ChosenScheme & { readonly tried: number }> {
  let tried = 0;
  const openTrials = async (): Promise<
    Parameters<typeof chooseScheme>[3] extends () => Promise<infer T> ? T : never
  > => ({
    says: "64 samples",
    metric: "accuracy",
    async run(scheme) {
      tried++;
      return run(scheme);
    },
  });
  const chosen = await chooseScheme(choosable, { ...AUTO, ...options }, maxDrop, openTrials);
  return { ...chosen, tried };
}

describe("without a limit", () => {
  it("takes mse, no migration, 8 bits and narrow attentions where nothing else gains enough", async () => {
    const { scheme, choices } = await choose(() => trialOf(0.1));
    expect(scheme).toEqual({ ranges: "mse", migration: 0, inputBits: 8, gateBits: 8, wide: new Set() });
    expect(choices.map(({ what }) => what)).toEqual([
      "inputs of weights",
      "ranges",
      "scale migration",
      "products of gates",
      "queries and keys",
    ]);
    for (const { why } of choices) expect(why).toMatch(/0\.100 with .* on 64 samples/);
  });

  it("takes each change that gains enough", async () => {
    const { scheme } = await choose(({ ranges, migration, inputBits, gateBits, wide }) => {
      const gains = [ranges === "min-max", migration > 0, inputBits === 12, gateBits === 12, wide.size === 3].filter(
        Boolean,
      ).length;
      return trialOf(0.7 ** gains);
    });
    expect(scheme).toEqual({
      ranges: "min-max",
      migration: 0.7,
      inputBits: 12,
      gateBits: 12,
      wide: new Set(["a", "b", "c"]),
    });
  });

  it("keeps only the attentions that bring most of the gain, in the network's order", async () => {
    const error = { a: 0.02, b: 0.6, c: 0.5 } as Readonly<Record<string, number>>;
    const { scheme, choices } = await choose(({ wide }) => {
      const squares = CHOOSABLE.attentions.map((site) => (wide.has(site) ? 0.01 : (error[site] as number) ** 2));
      return trialOf(Math.sqrt(squares.reduce((a, b) => a + b)));
    });
    expect([...scheme.wide]).toEqual(["b", "c"]);
    expect(choices.at(-1)?.chosen).toBe("9 to 12 bits in 2 of 3 attentions");
  });

  it("tries nothing where everything is given", async () => {
    const given = { ranges: "percentile", migration: 0.3, attention: "wide" } as const;
    const { scheme, tried, choices } = await choose(() => trialOf(1), given, undefined, {
      ...CHOOSABLE,
      hasWeighedInput: false,
      hasGates: false,
    });
    expect(tried).toBe(0);
    expect(scheme).toEqual({
      ranges: "percentile",
      migration: 0.3,
      inputBits: 8,
      gateBits: 8,
      wide: new Set(["a", "b", "c"]),
    });
    expect(choices.every(({ why }) => why === "given")).toBe(true);
  });

  it("runs no scheme twice", async () => {
    const { tried, trials } = await choose(({ wide }) => trialOf(1 / (1 + wide.size)));
    expect(tried).toBe(trials.length);
  });
});

describe("with a limit", () => {
  it("takes the first that keeps it, and says after how many", async () => {
    const { scheme, choices, tried } = await choose(
      ({ ranges, migration }) => trialOf(1, ranges === "min-max" && migration > 0 ? 0.004 : 0.02),
      {},
      0.005,
    );
    expect(scheme).toEqual({ ranges: "min-max", migration: 0.7, inputBits: 8, gateBits: 8, wide: new Set() });
    expect(tried).toBe(4);
    expect(choices[0]?.why).toMatch(/after 3 that lose more/);
  });

  it("keeps a margin of one standard error", async () => {
    const { scheme } = await choose(({ inputBits }) => trialOf(1, 0, inputBits === 12 ? 0.001 : 0.01), {}, 0.005);
    expect(scheme.inputBits).toBe(12);
  });

  it("names the best where none keeps it", async () => {
    const error = await failure(() =>
      choose(({ ranges, wide }) => trialOf(1, ranges === "mse" && wide.size > 0 ? 0.01 : 0.03), {}, 0.005),
    );
    expect(error.code).toBe("infeasible");
    expect(error.where).toMatch(
      /the best, ranges mse, inputs of 12 bits, gates of 12 bits, queries and keys of 9 to 12 bits in 3 of 3 attentions: 0\.0100/,
    );
  });
});
