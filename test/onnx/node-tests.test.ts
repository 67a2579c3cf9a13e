// All of ONNX's node tests that ../shared has: the sites of an operator and of its expanded form, and what tables do to the outputs.

import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import type { Certificate } from "../../packages/lutra/src/certify/index.ts";
import { findSites } from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { type NodeTest, type Outputs, readNodeTest, run, withTables } from "./node-tests.ts";

const largest = (values: Iterable<number>): number => {
  let most = 0;
  for (const value of values) if (Math.abs(value) < Infinity) most = Math.max(most, Math.abs(value));
  return most;
};

/** Values of all float inputs after the first. */
const parameters = ({ inputs }: NodeTest): number[] =>
  Object.values(inputs)
    .slice(1)
    .flatMap(({ type, data }) => (type === "float32" ? [...(data as Float32Array)] : []));

/** Longest sequence of keys, and of steps, in the tests. */
const KEYS = 36;
const STEPS = 5;

/** How much the rest of a test's graph may enlarge the error of a layer. */
function gain(test: NodeTest): number {
  if (test.name.includes("norm")) return Math.max(1, largest(parameters(test)));
  if (test.name.includes("attention")) return KEYS * Math.max(1, largest(parameters(test)));
  return /lstm|gru|rnn/.test(test.name) ? STEPS : 1;
}

/** The certificate's bound for a result of this size, and rounding. */
function allowed(certificates: readonly Certificate[], test: NodeTest, y: number): number {
  const layer = ({ absolute, relative }: Certificate): number =>
    Math.min(absolute.upper, relative.upper * Math.max(Math.abs(y), relative.floor));
  return gain(test) * certificates.reduce((sum, each) => sum + layer(each), 0) + 1e-6 * (1 + Math.abs(y));
}

/** The worst excess of an output over what is allowed; at most 0 if it is as expected. */
function excess(test: NodeTest, given: Outputs, limit: (y: number) => number): number {
  let worst = -Infinity;
  for (const [name, { data: expected, dims }] of Object.entries(test.expected)) {
    if (given[name].dims.join() !== dims.join()) return Infinity;
    (expected as Float32Array).forEach((value, i) => {
      const other = Number((given[name].data as Float32Array)[i]);
      const y = Number(value);
      if (!Object.is(other, y)) worst = Math.max(worst, Math.abs(other - y) - limit(y));
    });
  }
  return Number.isNaN(worst) ? Infinity : worst;
}

describeShared("ONNX's node tests", () => {
  const folder = sharedPath("vectors/onnx_node_tests");
  const tests = readdirSync(folder)
    .filter((name) => name.startsWith("test_"))
    .map((name) => readNodeTest(folder, name));

  it("find in an expanded graph the layers of its operator", () => {
    const kinds = new Map(tests.map(({ name, model }) => [name, findSites(model).map(({ kind }) => kind)]));
    const missing = tests
      .filter(({ name }) => name.includes("_expanded"))
      .filter(({ name }) => {
        const expanded = kinds.get(name) ?? [];
        return !(kinds.get(name.replace(/_expanded.*/, "")) ?? []).every((kind) => expanded.includes(kind));
      });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it("give the expected outputs with tables, within the tables' certificates", { timeout: 240_000 }, async () => {
    let checked = 0;
    const failing: string[] = [];
    for (const test of tests) {
      const { model, sites } = withTables(test.model);
      const before = sites.length === 0 ? null : await run(test.model, test.inputs);
      // What onnxruntime does not know, or computes otherwise, says nothing about tables.
      if (before === null || excess(test, before, (y) => 1e-5 + 1e-3 * Math.abs(y)) > 0) continue;
      const after = await run(model, test.inputs);
      const certificates = sites.map(({ certificate }) => certificate);
      if (after === null || excess(test, after, (y) => allowed(certificates, test, y)) > 0) failing.push(test.name);
      checked++;
    }
    expect(failing).toEqual([]);
    expect(checked).toBeGreaterThan(310);
  });
});
