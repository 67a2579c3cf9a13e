// Bench: a generated model of 300 MB is read from a file, checked, and written to another one. A process of its own does both
// (onnx-io-child.mjs), so that its peak memory is the reader's and the writer's and nobody else's. Whether the two files are the same
// is asserted every time.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, ROOT } from "./lutra.mjs";

export const name = "onnx-io";

const LAYERS = 75;
/** Each layer has one float32 matrix of this many rows and columns: 4 MiB. */
const EXTENT = 1024;
const RUNS = 5;

export async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "lutra-onnx-io-"));
  try {
    const [from, to] = [join(folder, "model.onnx"), join(folder, "copy.onnx")];
    await writeLargeModel(from);
    const { size } = await stat(from);
    const rows = [];
    for (let run = 0; run < RUNS; run++) {
      const row = await readAndWrite(from, to);
      if ((await digest(from)) !== (await digest(to))) throw new Error("the model was not written as it was read");
      rows.push({ run, bytes: size, ...row });
    }
    const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
    const worst = Math.max(...rows.map((row) => row.extraBytes / size));
    return {
      rows,
      figures: [
        atMost(
          `reading and writing ${Math.round(size / 1e6)} MB, median of ${RUNS}`,
          median(rows.map((row) => row.seconds)),
          2,
          "s",
        ),
        atMost("peak memory above the start, as a multiple of the file", worst, 1.5),
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs the child and resolves to { seconds, extraBytes, nodes }. */
function readAndWrite(from, to) {
  const child = spawn(process.execPath, [join(ROOT, "bench", "onnx-io-child.mjs"), from, to], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`exit code ${code}`))));
  });
}

function digest(path) {
  return new Promise((resolve, reject) => {
    const hash = createHash("sha256");
    const stream = createReadStream(path);
    stream.on("data", (chunk) => hash.update(chunk));
    stream.on("error", reject);
    stream.on("end", () => resolve(hash.digest("hex")));
  });
}

/**
 * y = f(x * w0), f(that * w1), ...: a product and an initializer of 4 MiB per layer, encoded by hand as protobuf.
 * @param activate the encoded nodes of f for layer i, from p<i> to h<i+1>; tanh if left out
 * @param constants further encoded initializers
 */
export async function writeLargeModel(path, activate = tanh, constants = []) {
  const values = new Float32Array(EXTENT * EXTENT).map((_, i) => ((i * 7919) % 1000) / 1e5);
  const raw = Buffer.from(values.buffer);
  const file = await open(path, "w");
  const nodes = [];
  const heads = [];
  for (let i = 0; i < LAYERS; i++) {
    const product = [text(1, `h${i}`), text(1, `w${i}`), text(2, `p${i}`), text(4, "MatMul")];
    nodes.push(field(1, product), ...activate(i));
    // TensorProto: dims, data_type FLOAT, name, then raw_data, whose bytes follow from `values`
    const head = [
      varintField(1, EXTENT),
      varintField(1, EXTENT),
      varintField(2, 1),
      text(8, `w${i}`),
      lengthPrefix(9, raw.length),
    ];
    heads.push(Buffer.concat(head));
  }
  const initializers = heads.map((head) => lengthPrefix(5, head.length + raw.length));
  const before = Buffer.concat([...nodes, text(2, "large"), ...constants.map((one) => field(5, one))]);
  const after = Buffer.concat([field(11, valueInfo("h0")), field(12, valueInfo(`h${LAYERS}`))]);
  const graphLength = [before, after, ...heads, ...initializers].reduce(
    (sum, part) => sum + part.length,
    LAYERS * raw.length,
  );
  await file.write(Buffer.concat([varintField(1, 8), lengthPrefix(7, graphLength), before]));
  for (let i = 0; i < LAYERS; i++) {
    await file.write(Buffer.concat([initializers[i], heads[i]]));
    await file.write(raw);
  }
  // opset_import: version 17 of the default domain
  await file.write(Buffer.concat([after, field(8, [varintField(2, 17)])]));
  await file.close();
}

function tanh(i) {
  return [operation("Tanh", [`p${i}`], `h${i + 1}`)];
}

/** An encoded node of a graph. */
export function operation(opType, inputs, output) {
  return field(1, [...inputs.map((name) => text(1, name)), text(2, output), text(4, opType)]);
}

/** The encoded parts of a binary32 scalar. */
export function scalar(name, value) {
  const raw = Buffer.alloc(4);
  raw.writeFloatLE(value);
  return [varintField(2, 1), text(8, name), field(9, [raw])];
}

/** A float32 value of shape [1, EXTENT]. */
function valueInfo(valueName) {
  const dimensions = [1, EXTENT].map((extent) => field(1, [varintField(1, extent)]));
  return [text(1, valueName), field(2, [field(1, [varintField(1, 1), field(2, dimensions)])])];
}

function varint(value) {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function varintField(number, value) {
  return Buffer.from([...varint(number * 8), ...varint(value)]);
}

function lengthPrefix(number, length) {
  return Buffer.from([...varint(number * 8 + 2), ...varint(length)]);
}

function field(number, parts) {
  const content = Buffer.concat(parts);
  return Buffer.concat([lengthPrefix(number, content.length), content]);
}

function text(number, content) {
  return field(number, [Buffer.from(content)]);
}
