// Reads dates with a model file: texts in, 2021-03-03 out. What the demo shows and what accuracy is measured with.
import { type OnnxRuntime, openSession } from "lutra/onnxruntime";
import { answersOf, idsOf } from "./batch.ts";
import { distinctSamples, type Sample } from "./dates.ts";
import { FORMS } from "./forms.ts";

/** Reads many texts; the answers are in their order. */
export type ReadDates = (texts: readonly string[]) => Promise<readonly string[]>;

const BATCH_SIZE = 250;

/** Opens a model file as `exportOnnx` writes it, or what Lutra made of it. @throws LutraError "bad-model" */
export async function openReader(ort: OnnxRuntime, path: string): Promise<ReadDates> {
  const session = await openSession(ort, path);
  return async (texts) => {
    const answers: string[] = [];
    for (let i = 0; i < texts.length; i += BATCH_SIZE) {
      const { shape, data } = idsOf(texts.slice(i, i + BATCH_SIZE));
      const { digits } = await session.run({ ids: { shape, data: BigInt64Array.from(data, BigInt) } });
      answers.push(...answersOf(digits.data as Float32Array));
    }
    return answers;
  };
}

/** The texts that accuracy is told for: 10,000 of the test split. */
export function testSamples(): readonly Sample[] {
  return distinctSamples("test", 10_000, 1);
}

export interface FormAccuracy {
  readonly form: string;
  /** A sample of the form. */
  readonly example: string;
  readonly count: number;
  readonly right: number;
}

/** How many dates are right in every digit, by form, in the order of the forms. */
export async function accuracyByForm(read: ReadDates, samples: readonly Sample[]): Promise<readonly FormAccuracy[]> {
  const answers = await read(samples.map(({ text }) => text));
  const judged = samples.map((sample, i) => ({ ...sample, isRight: answers[i] === sample.iso }));
  return FORMS.map(({ name }) => {
    const own = judged.filter(({ form }) => form === name);
    return { form: name, example: own[0]?.text ?? "", count: own.length, right: own.filter((s) => s.isRight).length };
  });
}
