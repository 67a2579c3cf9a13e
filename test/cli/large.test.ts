// A model of more than 2 GiB, whose tensor lies in a file beside it: too large for one ONNX file, and more than should be read to look
// at its layers. The file is sparse, so that it takes no disk.

import { mkdir, open, readdir, stat, statfs, writeFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from "onnx-buf";
import { beforeAll, describe, expect, test } from "vitest";
import { node } from "../../packages/lutra/src/onnx/index.ts";
import { modelBytes, valueInfo } from "../onnx/models.ts";
import { lutraJson, temporaryFolder } from "./lutra.ts";

const ROWS = 2 ** 20;
const COLUMNS = 520;
const BYTES = 4 * ROWS * COLUMNS;
const NEEDED_BYTES = 3 * 2 ** 30;

/** y = gelu(x + row of W), W of 2.03 GiB. */
function largeModel(): Uint8Array {
  const W = create(TensorProtoSchema, {
    name: "W",
    dims: [BigInt(ROWS), BigInt(COLUMNS)],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: "weights/large.bin" },
      { key: "length", value: `${BYTES}` },
    ],
  });
  return modelBytes({
    opset: 20,
    irVersion: 9,
    inputs: [valueInfo("row", ["N"], TensorProto_DataType.INT64), valueInfo("x", ["N", COLUMNS])],
    outputs: [valueInfo("y", ["N", COLUMNS])],
    initializers: [W],
    nodes: [node("Gather", ["W", "row"], ["w"]), node("Add", ["x", "w"], ["h"]), node("Gelu", ["h"], ["y"])],
  });
}

/** A small file that says it is long. */
async function writeSparse(path: string): Promise<void> {
  const file = await open(path, "w");
  await file.write(new Uint8Array(Float32Array.of(1, -1, 0.5).buffer));
  await file.truncate(BYTES);
  await file.close();
}

async function writeDataset(path: (name: string) => string): Promise<void> {
  const header = Array.from({ length: COLUMNS }, (_, i) => `c${i}`);
  const rows = Array.from({ length: 20 }, (_, i) => [i, ...header.map((_, j) => ((i * 7 + j) % 17) / 4 - 2)].join(","));
  await writeFile(path("rows.csv"), `row,${header.join(",")}\n${rows.join("\n")}\n`);
  const inputs = {
    row: { file: "rows.csv", key: "row", type: "int64" },
    x: { file: "rows.csv", columns: header, type: "float32" },
  };
  await writeFile(path("data.json"), JSON.stringify({ name: "rows", inputs, splits: { calibration: 10 } }));
}

describe("a model of more than 2 GiB", () => {
  const folder = temporaryFolder();
  const { path } = folder;
  let hasRoom = false;

  beforeAll(async () => {
    const disk = await statfs(path());
    hasRoom = disk.bavail * disk.bsize >= NEEDED_BYTES;
    await writeFile(path("model.onnx"), largeModel());
    await mkdir(path("weights"));
    await writeSparse(path("weights/large.bin"));
    await writeDataset(path);
  });

  test("is inspected without reading its tensors", async () => {
    const start = performance.now();
    const { sites } = await lutraJson<{ sites: unknown[] }>(["inspect", path("model.onnx")]);
    expect(sites).toMatchObject([{ kind: "gelu" }]);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("is evaluated", async ({ skip }) => {
    if (!hasRoom) skip("needs 3 GiB of disk");
    const { samples } = await lutraJson<{ samples: number }>(["evaluate", "model.onnx", "--data", "data.json"], {
      cwd: path(),
    });
    expect(samples).toBe(10);
  });

  test("is compiled into a model that shares its tensors, in a folder where other files stay", async ({ skip }) => {
    if (!hasRoom) skip("needs 3 GiB of disk");
    await mkdir(path("out/weights"), { recursive: true });
    await writeFile(path("out/weights/notes.txt"), "mine");
    const { logitError } = await lutraJson<{ logitError: { max: number } }>(
      ["compile", "model.onnx", "--data", "data.json", "-o", "out"],
      { cwd: path() },
    );
    expect(logitError.max).toBeGreaterThan(0);
    expect(logitError.max).toBeLessThan(0.01);
    expect((await readdir(path("out"))).sort()).toEqual([
      "compile.json",
      "model.lut.onnx",
      "plan.json",
      "report.html",
      "tables",
      "weights",
    ]);
    expect((await readdir(path("out/weights"))).sort()).toEqual(["large.bin", "notes.txt"]);
    expect((await stat(path("out/weights/large.bin"))).ino).toBe((await stat(path("weights/large.bin"))).ino);
    const args = ["evaluate", "out/model.lut.onnx", "--data", "data.json", "--against", "model.onnx"];
    const again = await lutraJson<{ logitError: { max: number } }>(args, { cwd: path() });
    expect(again.logitError).toEqual(logitError);
    expect((await folder.names()).sort()).toEqual(["data.json", "model.onnx", "out", "rows.csv", "weights"]);
  });
});
