// lutra emit as a user calls it: which files it writes, what their first lines say, and what it refuses without a trace.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";

const folder = temporaryFolder();
const path = folder.path;

interface Emitted {
  readonly files: readonly string[];
  readonly certificate: {
    readonly kernelHash: string;
    readonly absolute: { readonly upper: number; readonly at: number };
  };
}

beforeAll(async () => {
  await lutra(["fit", "gelu", "--in", "binary32", "--segments", "8", "-o", "gelu.json"], { cwd: path() });
  await lutra(["fit", "tanh", "--in", "bfloat16", "--segments", "8", "-o", "bfloat16.json"], { cwd: path() });
});

test.each([
  ["c", ["lut_gelu.c", "lut_gelu.h"]],
  ["typescript", ["lut_gelu.ts"]],
])("writes %s with what is proven at its top", async (target, names) => {
  const args = ["emit", "gelu.json", "--target", target, "-o", `new/${target}`];
  const { files, certificate } = await lutraJson<Emitted>(args, { cwd: path() });
  expect([...files].sort()).toEqual(names.map((name) => `new/${target}/${name}`));
  expect((await readdir(path(`new/${target}`))).sort()).toEqual(names);
  const [about, , error, , made, hash] = (await readFile(path(files[0] as string), "utf8")).split("\n");
  expect(about).toBe("// gelu, binary32 to binary32. Made by lutra: change its source, not this file.");
  expect(error).toContain(`error at most ${certificate.absolute.upper}, attained`);
  expect(error).toContain(`at x = ${certificate.absolute.at}`);
  expect(made).toBe(`// made by: lutra emit gelu.json --target ${target}`);
  expect(hash).toBe(`// kernel ${certificate.kernelHash}`);
});

test("leaves other files of the folder alone, a folder of tables among them", async () => {
  await mkdir(path("src/tables"), { recursive: true });
  await writeFile(path("src/mine.c"), "mine");
  const { code, stdout } = await lutra(["emit", "gelu.json", "--target", "c", "-o", "src"], { cwd: path() });
  expect([code, stdout]).toEqual([0, "src/lut_gelu.h\nsrc/lut_gelu.c\n"]);
  expect((await readdir(path("src"))).sort()).toEqual(["lut_gelu.c", "lut_gelu.h", "mine.c", "tables"]);
});

test("refuses a target that it does not know", async () => {
  const { code, stderr } = await lutra(["emit", "gelu.json", "--target", "fortran", "-o", "none"], { cwd: path() });
  expect(code).toBe(2);
  expect(stderr).toContain("'fortran' is invalid. Allowed choices are c, typescript");
});

test("refuses a file in the folder's place", async () => {
  await writeFile(path("taken"), "mine");
  const stderr = await lutraFails(["emit", "gelu.json", "--target", "c", "-o", "taken"], { cwd: path() });
  expect(stderr).toContain('cannot write the folder: "taken" is a file');
  expect(await readFile(path("taken"), "utf8")).toBe("mine");
});

test("refuses a table that no source code is written for, before the folder is made", async () => {
  const stderr = await lutraFails(["emit", "bfloat16.json", "--target", "c", "-o", "none"], { cwd: path() });
  expect(stderr).toMatch(
    /^lutra: source code is written for tables of integers and of binary32\n {2}at: {3}bfloat16.json/,
  );
  expect(await readdir(path())).not.toContain("none");
});
