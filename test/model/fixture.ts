// A session that computes its output with a function, and the datasets that come with the project.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { tokenizerOpener } from "../../packages/lutra/src/adapt/tokenizers.ts";
import type { Session, Tensor, Tensors } from "../../packages/lutra/src/base/index.ts";
import { type Dataset, loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import type { Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { layerFor } from "../../packages/lutra/src/layer/index.ts";
import type { Site } from "../../packages/lutra/src/onnx/index.ts";
import { ROOT } from "../shared.ts";

export function sessionOf(compute: (inputs: Tensors) => Tensors): Session {
  return { run: async (inputs) => compute(inputs), release: async () => {} };
}

/** An output of the given rows, all of one sample or one row per sample. */
export function tensor(shape: readonly number[], values: readonly number[]): Tensor {
  return { shape, data: Float32Array.from(values) };
}

/** A dataset of examples/datasets. */
export function loadExample(name: string): Promise<Dataset> {
  const file = resolve(ROOT, "examples/datasets", `${name}.json`);
  const readFile = async (path: string): Promise<Uint8Array> => readFileSync(resolve(dirname(file), path));
  return loadDataset(parseDescription(readFileSync(file), file), readFile, async (tokenizer, config) =>
    tokenizerOpener(await import("@huggingface/tokenizers"))(tokenizer, config),
  );
}

/** What layer each site gets; the longest row is not looked at here. */
export function kernelsOf(sites: readonly Site[]): Readonly<Record<string, Kernel>> {
  const domain = { lo: -Infinity, hi: Infinity };
  const kernels = sites.map(({ id, kind, inputs, attributes: { epsilon } }) => {
    return [
      id,
      layerFor({
        kind,
        inputCount: inputs.length,
        maxRow: 4096,
        domain,
        ...(epsilon === undefined ? {} : { epsilon }),
      }),
    ] as const;
  });
  return Object.fromEntries(kernels);
}
