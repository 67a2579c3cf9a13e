// Every operator that has a table, alone in a model: found, compiled, and within its certificate where its inputs lie.

import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { compile } from "../../packages/lutra/src/compile.ts";
import { loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";

const SHAPE = [16, 8];

function modelOf(opType: string, opset = 20n): Uint8Array {
  const value = (name: string) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: {
            dim: [
              { value: { case: "dimParam" as const, value: "n" } },
              { value: { case: "dimValue" as const, value: BigInt(SHAPE[1] as number) } },
            ],
          },
        },
      },
    },
  });
  const graph = {
    name: "one",
    node: [{ opType, input: ["x"], output: ["y"] }],
    input: [value("x")],
    output: [value("y")],
  };
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 9n, opsetImport: [{ domain: "", version: opset }], graph }),
  );
}

/** Rows of a csv: from 0.1 to 6.4, or from -6.4 to 6.3. */
function rows(positive: boolean): Uint8Array {
  const [count, columns] = SHAPE as [number, number];
  const lines = Array.from({ length: count }, (_, r) =>
    Array.from({ length: columns }, (_, c) =>
      positive ? (r * columns + c + 1) / 20 : (r * columns + c) / 10 - 6.4,
    ).join(","),
  );
  return new TextEncoder().encode(["a,b,c,d,e,f,g,h", ...lines].join("\n"));
}

const description = parseDescription(
  new TextEncoder().encode(
    JSON.stringify({
      name: "rows",
      inputs: { x: { file: "rows.csv", columns: [..."abcdefgh"], type: "float32" } },
      splits: { calibration: 8, seed: 1 },
    }),
  ),
  "rows.json",
);

const tools = { openSession: (bytes: Uint8Array) => openSession(ort, bytes), now: () => 0 };

describe("compile of a model that is one operator", () => {
  const signed = [
    "Gelu",
    "Erf",
    "Exp",
    "Tanh",
    "Sigmoid",
    "Mish",
    "Softplus",
    "Elu",
    "Selu",
    "HardSwish",
    "Softsign",
    "Sin",
    "Cos",
  ];
  const positive = ["Log", "Sqrt", "Reciprocal"];
  const ofRows = ["Softmax", "LogSoftmax"];
  for (const opType of [...signed, ...positive, ...ofRows]) {
    test(opType, async () => {
      const dataset = await loadDataset(description, async () => rows(positive.includes(opType)));
      const options = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 } as const;
      const { sites, logitError } = await compile(readModel(modelOf(opType)), dataset, options, tools);
      expect(sites.length).toBe(1);
      const [site] = sites;
      // The float operator has an error of its own, of a few ulps of its largest answer.
      const bound = Math.max(site?.certificate.absolute.upper ?? 0, 0);
      const relative = (site?.certificate.relative.upper ?? 0) * (opType === "Exp" ? 600 : 20);
      expect(logitError.max).toBeLessThanOrEqual(Math.min(bound, relative) + 1e-4);
      expect(logitError.max).toBeGreaterThan(0);
    });
  }
});

test("a model of an older opset than functions are written for is refused before anything is measured", async () => {
  const dataset = await loadDataset(description, async () => rows(false));
  const options = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 } as const;
  const openNothing = { openSession: () => Promise.reject(new Error("a session was opened")), now: () => 0 };
  const refused = compile(readModel(modelOf("Tanh", 11n)), dataset, options, openNothing);
  await expect(refused).rejects.toThrow("the model's opset is 11, emitted functions need 12");
});
