// What happens around a run goes wrong: the disk fills up, the folder cannot be written, the process is killed. What was there before
// stays whole, what was begun does not stand in the target's place.

import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { describeWith } from "../shared.ts";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

const folder = temporaryFolder();
const path = folder.path;
const COMPILE = ["compile", "model.onnx", "--data", "data.json"];
const FIT = ["fit", "gelu", "--in", "int8:0.05", "--out", "int8:0.05", "--segments", "8"];

beforeAll(async () => {
  await writeFile(path("model.onnx"), tinyModel());
  await writeTinyDataset(path);
});

/** Runs in a namespace where `mount` was done, and lists the folder on stderr afterwards, mount and all. */
function mounted(mount: string, name: string): readonly string[] {
  return [
    "unshare",
    "-rm",
    "sh",
    "-c",
    `${mount} || exit 99; "$@"; code=$?; ls -A ${path(name)} >&2; exit $code`,
    "sh",
  ];
}

describeWith({ mounts: true }, "on a disk that is full", () => {
  const full = (size: string): readonly string[] =>
    mounted(`mount -t tmpfs -o size=${size} none ${path("full")}`, "full");

  test.each(["4k", "80k"])("compile says so and leaves nothing, with room for %s", async (size) => {
    await mkdir(path("full"), { recursive: true });
    const stderr = await lutraFails([...COMPILE, "-o", "full/out"], { cwd: path(), within: full(size) });
    expect(stderr).toMatch(/^lutra: cannot write "full\/out[^"]*": no space left on the disk\n$/);
  });

  test("fit says so and leaves nothing", async () => {
    await mkdir(path("full"), { recursive: true });
    const filled = mounted(
      `mount -t tmpfs -o size=8k none ${path("full")} && head -c 8192 /dev/zero >${path("full/used")}`,
      "full",
    );
    const stderr = await lutraFails([...FIT, "-o", "full/gelu.json"], { cwd: path(), within: filled });
    expect(stderr).toBe('lutra: cannot write "full/gelu.json": no space left on the disk\nused\n');
  });
});

describeWith({ mounts: true }, "in a folder that cannot be written", () => {
  const readOnly = (): readonly string[] =>
    mounted(`mount --bind ${path("closed")} ${path("closed")} && mount -o remount,ro,bind ${path("closed")}`, "closed");

  beforeAll(async () => {
    await mkdir(path("closed"));
    await writeFile(path("closed/mine"), "");
  });

  test.each([
    ["compile", [...COMPILE, "-o", "closed/out"]],
    ["compile into the folder itself", [...COMPILE, "-o", "closed"]],
    ["fit", [...FIT, "-o", "closed/gelu.json"]],
  ])("%s says so", async (_what, args) => {
    const stderr = await lutraFails(args, { cwd: path(), within: readOnly() });
    expect(stderr).toMatch(/^lutra: cannot write "closed[^"]*": the file system is read-only\nmine\n$/);
  });
});

describeWith({ mounts: true }, "in a folder that only others may write", () => {
  // In a user namespace without a mapping even root has only the rights that the folder's mode gives its owner.
  const within = ["unshare", "-U"];

  test.each([
    ["compile", [...COMPILE, "-o", "forbidden/out"]],
    ["compile into the folder itself", [...COMPILE, "-o", "forbidden"]],
    ["fit", [...FIT, "-o", "forbidden/gelu.json"]],
  ])("%s says so", async (_what, args) => {
    await mkdir(path("forbidden"), { recursive: true });
    await chmod(path("forbidden"), 0o555);
    const stderr = await lutraFails(args, { cwd: path(), within });
    expect(stderr).toMatch(/^lutra: cannot write "forbidden[^"]*": permission denied\n$/);
    expect(await readdir(path("forbidden"))).toEqual([]);
  });
});

describeWith({ mounts: true }, "in a folder that is a file system of its own", () => {
  test("compile works and leaves other files there alone", async () => {
    await mkdir(path("volume"));
    const within = mounted(`mount -t tmpfs none ${path("volume")} && touch ${path("volume/mine")}`, "volume");
    const { code, stderr } = await lutra([...COMPILE, "-o", "volume"], { cwd: path(), within });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "compile.json\nmine\nmodel.lut.onnx\nplan.json\nreport.html\ntables\n",
    });
  });
});

describe("killed in the middle of compile", () => {
  const begunIn = async (place: string): Promise<readonly string[]> =>
    (await readdir(place)).filter((name) => name.startsWith(".killed.lutra-"));

  /** Kills a run that has begun to prepare its result in this folder. */
  const killIn = async (place: string): Promise<void> => {
    const begun = async (): Promise<boolean> => (await begunIn(place)).length > 0;
    const args = [...COMPILE, "--segments", "1024", "-o", "killed"];
    const { code } = await lutra(args, { cwd: path(), interruptWhen: begun, signal: "SIGKILL" });
    expect(code).toBe(null);
    expect(await begun()).toBe(true);
  };

  test("there is no folder; the next run makes one and removes what the killed one left", async () => {
    await killIn(path());
    expect(await folder.names()).not.toContain("killed");
    await lutraJson([...COMPILE, "-o", "killed"], { cwd: path() });
    expect(await readdir(path("killed"))).toContain("compile.json");
    expect(await begunIn(path())).toEqual([]);
  });

  test("an older result stays as it was", async () => {
    const before = await readFile(path("killed/model.lut.onnx"));
    await killIn(path("killed"));
    expect(await readFile(path("killed/model.lut.onnx"))).toEqual(before);
  });

  test("what other processes still write, or other machines did, is left alone", async () => {
    const [left] = await begunIn(path("killed"));
    const renamed = (pattern: RegExp, by: string): string => left.replace(pattern, by);
    const others = [
      renamed(/-\d+-(?=[0-9a-f]{8}$)/, `-${process.pid}-`),
      renamed(/lutra-[0-9a-f]{8}/, "lutra-00000000"),
      `${left}.mine`,
      renamed(/^\.killed/, ".others"),
    ];
    for (const name of others) await mkdir(path(`killed/${name}`));
    await lutraJson([...COMPILE, "-o", "killed"], { cwd: path() });
    const names = await readdir(path("killed"));
    expect(names).not.toContain(left);
    expect(names).toEqual(expect.arrayContaining(others));
  });
});
