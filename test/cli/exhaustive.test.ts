// lutra certify --exhaustive on narrow domains: what it reports, that threads and interruptions do not change it, what it refuses.

import { readFile, stat, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type Certificate, type Exhaustive, exhaustiveParts } from "../../packages/lutra/src/certify/index.ts";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";

const folder = temporaryFolder();
const table = folder.path;

/** 1 part, and 5 parts of up to 2^24 inputs. */
const NARROW = "1,1.01";
const WIDE = "0.01,4";
/** What the file of a stopped run begins with. */
const PROGRESS = { format: "lutra-progress", version: 1 };

async function fitTable(range: string, name: string, segments = "4"): Promise<void> {
  const formats = ["--in", "binary32", "--out", "binary32", "--range", range];
  await lutraJson(["fit", "gelu", ...formats, "--segments", segments, "-o", table(name)]);
}

async function certify(name: string, ...options: string[]): Promise<Certificate & { exhaustive: Exhaustive }> {
  return await lutraJson(["certify", table(name), "--exhaustive", ...options]);
}

/** Without what may differ from run to run. */
function lasting({ seconds, threads, ...rest }: Exhaustive): Omit<Exhaustive, "seconds" | "threads"> {
  expect(seconds).toBeGreaterThan(0);
  expect(threads).toBeGreaterThan(0);
  return rest;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

beforeAll(async () => {
  await fitTable(NARROW, "narrow.json", "2");
  await fitTable(WIDE, "wide.json");
});

describe("lutra certify --exhaustive", () => {
  test("confirms the certificate at every input of the domain and leaves no file behind", async () => {
    const before = await folder.names();
    const { absolute, exhaustive } = await certify("narrow.json");
    // Binary32 numbers in [1, 1.01]: 1 and multiples of 2^-23 above it.
    expect(exhaustive.inputs).toBe(Math.floor(0.01 * 2 ** 23) + 1);
    expect(exhaustive.unmeasured).toBe(0);
    expect(exhaustive.evaluated).toBeLessThan(exhaustive.inputs);
    expect(exhaustive.worst.absolute.lower).toBeGreaterThanOrEqual(absolute.lower);
    expect(exhaustive.worst.absolute.lower).toBeLessThanOrEqual(absolute.upper);
    expect(exhaustive.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(await folder.names()).toEqual(before);
  });

  test("says in words how many inputs were visited and at how many the function was evaluated", async () => {
    const { code, stdout } = await lutra(["certify", table("narrow.json"), "--exhaustive", "--threads", "1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/every input +the table evaluated at all 83,887, in [\d.]+ s on 1 thread$/m);
    expect(stdout).toMatch(/the function evaluated at [\d,]+, enclosed at the others$/m);
  });

  test("interrupted and resumed finds the same, on any number of threads", async () => {
    const whole = await certify("wide.json", "--threads", "2");
    const progress = table("wide.json.progress");
    const { code, stdout, stderr } = await lutra(["certify", table("wide.json"), "--exhaustive", "--threads", "1"], {
      interruptWhen: () => exists(progress),
    });
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toMatch(
      /^lutra: interrupted; [0-4] of 5 parts are done and kept in ".*wide\.json\.progress"; the same/,
    );
    const resumed = await certify("wide.json", "--threads", "3");
    expect(lasting(resumed.exhaustive)).toEqual(lasting(whole.exhaustive));
    expect(await exists(progress)).toBe(false);
  });

  test("does no part twice", async () => {
    const { spec, kernelHash, relative, exhaustive } = await certify("wide.json");
    const parts = exhaustiveParts(spec.domain);
    expect(parts.length).toBe(5);
    // All but the last part are kept, and marked by how often they say the function was evaluated.
    const marked = parts.slice(0, -1).map((range) => ({ ...range, ...exhaustive, evaluated: 10 ** 9 }));
    const kept = { ...PROGRESS, kernelHash, relativeFloor: relative.floor, parts: marked, seconds: 1000 };
    await writeFile(table("kept.progress"), JSON.stringify(kept));
    const resumed = await certify("wide.json", "--resume", table("kept.progress"));
    expect(Math.floor(resumed.exhaustive.evaluated / 10 ** 9)).toBe(4);
    expect(resumed.exhaustive.seconds).toBeGreaterThan(1000);
    expect(await exists(table("kept.progress"))).toBe(false);
  });

  test("refuses the progress of another table, and files that are none", async () => {
    const other = {
      format: "lutra-progress",
      version: 1,
      kernelHash: "0",
      relativeFloor: 2 ** -14,
      parts: [],
      seconds: 0,
    };
    await writeFile(table("other.progress"), JSON.stringify(other));
    const args = ["certify", table("narrow.json"), "--exhaustive", "--resume"];
    expect(await lutraFails([...args, table("other.progress")])).toMatch(/about another table: its kernelHash differs/);
    expect(await lutraFails([...args, table("wide.json")])).toMatch(/no progress of an exhaustive certification/);
    expect(JSON.parse(await readFile(table("other.progress"), "utf8"))).toEqual(other);
  });

  test("refuses tables whose every input has been visited anyway, and numbers of threads that are none", async () => {
    await lutraJson(["fit", "gelu", "--in", "s8.5", "--out", "s8.5", "--segments", "4", "-o", table("small.json")]);
    expect(await lutraFails(["certify", table("small.json"), "--exhaustive"])).toMatch(/over all 256 codes/);
    const threads = ["--exhaustive", "--threads", "0"];
    expect((await lutra(["certify", table("narrow.json"), ...threads])).code).toBe(2);
    expect((await lutra(["certify", table("narrow.json"), "--threads", "2"])).code).toBe(2);
  });
});
