// The loss of one part of a batch and its gradient. A batch is split into a fixed number of parts whose gradients are averaged,
// so that the weights do not depend on how many threads compute them.
import { compile, type HostArray, logSoftmax, multiply, sum, withGradient } from "./array.ts";
import { answersOf, idsOf, maskOf, targetsOf } from "./batch.ts";
import { type Sample, samples } from "./dates.ts";
import { type Activations, logits } from "./model.ts";
import { DIGITS, type Parameters, parameterShapes, type Shape } from "./shape.ts";

/** What a run of training is; with the seed it decides every weight. */
export interface Settings {
  readonly model: Shape;
  readonly seed: number;
  readonly steps: number;
  /** Steps over which the learning rate rises to `rate`; it falls to 0 from there to the last step. */
  readonly warmUp: number;
  readonly rate: number;
  /** Samples of a part. */
  readonly partSize: number;
}

/** Parts of a batch. */
export const PARTS = 2;

export interface PartGradient {
  /** Mean cross entropy of a digit, in nats. */
  readonly loss: number;
  readonly gradient: Parameters;
}

/** Computes part `part` of the batch of step `step`. */
export type ComputePart = (parameters: Parameters, step: number, part: number) => PartGradient;

/** Compiles the gradient of the model with the given non-linear layers. The backend must have been started. */
export function partGradients({ model, seed, partSize }: Settings, activations: Activations): ComputePart {
  const count = parameterShapes(model).length;
  const scale = -1 / (partSize * DIGITS);
  const run = compile((inputs) => {
    const [ids, mask, targets] = inputs.slice(count);
    return withGradient(
      (parameters) =>
        multiply(sum(multiply(logSoftmax(logits(model, activations, parameters, ids, mask)), targets)), scale),
      inputs.slice(0, count),
    );
  });
  return (parameters, step, part) => {
    // random() mixes its seed, so neighbouring seeds give unrelated streams.
    const batch = samples("train", partSize, (seed * 2 ** 24 + step * PARTS + part) % 2 ** 32);
    const ids = idsOf(batch.map(({ text }) => text));
    const [loss, ...gradient] = run([...parameters, ids, maskOf(ids), targetsOf(batch)]);
    return { loss: loss.data[0], gradient };
  };
}

/** Compiles the model's answers. */
export function predictor(
  model: Shape,
  activations: Activations,
): (parameters: Parameters, ids: HostArray<Int32Array>) => HostArray {
  const count = parameterShapes(model).length;
  const run = compile((inputs) => [
    logits(model, activations, inputs.slice(0, count), inputs[count], inputs[count + 1]),
  ]);
  return (parameters, ids) => run([...parameters, ids, maskOf(ids)])[0];
}

/** Share of samples with every digit right. Their number must be a multiple of `batchSize`. */
export function exactMatch(
  predict: ReturnType<typeof predictor>,
  parameters: Parameters,
  all: readonly Sample[],
  batchSize: number,
): number {
  let right = 0;
  for (let i = 0; i < all.length; i += batchSize) {
    const part = all.slice(i, i + batchSize);
    const answers = answersOf(predict(parameters, idsOf(part.map(({ text }) => text))).data);
    right += part.filter(({ iso }, k) => answers[k] === iso).length;
  }
  return right / all.length;
}
