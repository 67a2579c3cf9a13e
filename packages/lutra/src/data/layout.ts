// How one model takes a dataset's inputs: with a batch dimension of any size, of exactly 1, or with none, and at which fixed length.
// Decided once by comparing the shapes that the model declares with the samples' shapes; what does not fit is refused here.

import { LutraError } from "../base/index.ts";
import type { SampleInput } from "./samples.ts";

/** An input as a model declares it. */
export interface DeclaredInput {
  /** Element type as in a dataset description; null if the model does not say, or names a type that datasets do not have. */
  readonly type: string | null;
  /** Extents, null where any is accepted; null if the model does not even say how many. */
  readonly shape: readonly (number | null)[] | null;
}

export type DeclaredInputs = Readonly<Record<string, DeclaredInput>>;

export interface Layout {
  /** "free": [any, ...sample]; "one": [1, ...sample]; "none": the sample alone. */
  readonly batch: "free" | "one" | "none";
  /** First extent of a sample that has a length: the model's, or null to fit each batch. */
  readonly width: number | null;
}

export type Layouts = Readonly<Record<string, Layout>>;

/** What is assumed of an input that no model has declared. */
export const FREE_LAYOUT: Layout = { batch: "free", width: null };

/**
 * How a model takes each of the inputs, matched by name.
 * @throws LutraError "mismatch" if an input is missing, unknown, of another type or of a shape that does not fit
 */
export function layoutsOf(inputs: Readonly<Record<string, SampleInput>>, declared: DeclaredInputs): Layouts {
  const wanted = Object.keys(declared);
  const missing = wanted.find((name) => !Object.hasOwn(inputs, name));
  if (missing !== undefined)
    throw new LutraError("mismatch", `the dataset has no input "${missing}"`, { note: "the model needs it" });
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      if (!Object.hasOwn(declared, name)) {
        throw new LutraError("mismatch", `the model has no input "${name}"`, {
          note: `its inputs: ${wanted.join(", ")}`,
        });
      }
      return [name, layoutOf(name, input, declared[name])];
    }),
  );
}

function layoutOf(name: string, input: SampleInput, { type, shape }: DeclaredInput): Layout {
  const where = `input "${name}"`;
  if (type !== null && type !== input.type) {
    throw new LutraError("mismatch", `the model takes ${type}, the dataset gives ${input.type}`, {
      where,
      note: `set "type": "${type}"`,
    });
  }
  if (shape === null) return FREE_LAYOUT;
  const rest = shape.slice(shape.length - input.shape.length);
  const spare = shape.length - input.shape.length;
  const fits =
    spare >= 0 && input.shape.every((extent, axis) => extentFits(extent, rest[axis], axis === 0 && input.hasLengths));
  const first = shape[0];
  if (fits && spare === 1 && first !== null && first !== 1) {
    throw new LutraError("mismatch", `the model takes batches of exactly ${first}`, {
      where,
      note: "export it with a free batch dimension, or with 1",
    });
  }
  if (!fits || spare > 1) {
    const wanted = shape.map((extent) => extent ?? "?").join(", ");
    throw new LutraError(
      "mismatch",
      `samples of shape [${input.shape.join(", ")}] do not fit the model's [${wanted}]`,
      { where },
    );
  }
  const width = input.hasLengths ? (rest[0] ?? null) : null;
  return { batch: spare === 0 ? "none" : first === null ? "free" : "one", width };
}

/** Samples with lengths may be cut or padded to another extent; whether each fits is seen when its batch is cut. */
function extentFits(extent: number, wanted: number | null, isFlexible: boolean): boolean {
  return wanted === null || wanted === extent || isFlexible;
}
