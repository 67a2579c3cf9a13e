// `npm run train`: trains the date model, or goes on where an earlier run stopped, and writes the model as ONNX, the loss curve
// and the table of accuracy. The state is in out/train; what is committed goes to models/.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { startBackend } from "./array.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { distinctSamples } from "./dates.ts";
import { exportOnnx } from "./export.ts";
import { exactMatch, predictor } from "./gradient.ts";
import { lossCurve } from "./loss-curve.ts";
import { EXACT } from "./model.ts";
import { accuracyByForm, openReader, testSamples } from "./reader.ts";
import { withAccuracy } from "./readme.ts";
import { SETTINGS } from "./settings.ts";
import { startThreads } from "./threads.ts";
import { type CurvePoint, startTraining, type TrainingState, train } from "./train.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const STATE_FOLDER = join(ROOT, "out", "train");
const CHECKPOINT = join(STATE_FOLDER, "checkpoint.bin");
const MODELS = join(ROOT, "models");
const INTERVAL = 250;
const VALIDATION = { count: 1024, seed: 1 };

mkdirSync(STATE_FOLDER, { recursive: true });
await startBackend();
const predict = predictor(SETTINGS.model, EXACT);
const validation = distinctSamples("validation", VALIDATION.count, VALIDATION.seed);
const threads = startThreads(SETTINGS);
const start = loadCheckpoint(CHECKPOINT, SETTINGS) ?? startTraining(SETTINGS);
console.log(start.step === 0 ? "Training from the start." : `Going on after step ${start.step}.`);
const started = performance.now();

const end = await train(
  start,
  {
    interval: INTERVAL,
    compute: threads.compute,
    validate: (parameters) => exactMatch(predict, parameters, validation, SETTINGS.partSize),
    onPoint: (state, point) => {
      saveCheckpoint(CHECKPOINT, state);
      console.log(progressLine(point));
    },
  },
  SETTINGS.steps,
);
await threads.close();
await write(end);

function progressLine({ step, loss, exactMatch }: CurvePoint): string {
  const minutes = (performance.now() - started) / 60_000;
  const left = (minutes / (step - start.step)) * (SETTINGS.steps - step);
  const share = `${(100 * exactMatch).toFixed(2)} %`;
  return `step ${step}/${SETTINGS.steps}  loss ${loss.toFixed(5)}  exact ${share}  ${minutes.toFixed(1)} min, ${left.toFixed(1)} left`;
}

async function write({ parameters, curve }: TrainingState): Promise<void> {
  const model = join(MODELS, "demo", "dates.onnx");
  writeFileSync(model, exportOnnx(SETTINGS.model, parameters));
  writeFileSync(join(MODELS, "loss-curve.json"), `${JSON.stringify(curve, null, 2)}\n`);
  writeFileSync(join(MODELS, "loss-curve.svg"), lossCurve(curve));
  const accuracy = await accuracyByForm(await openReader(ort, model), testSamples());
  const readme = join(MODELS, "README.md");
  writeFileSync(readme, withAccuracy(readFileSync(readme, "utf8"), accuracy));
  console.log("Wrote models/demo/dates.onnx, models/loss-curve.json and .svg, and the table of models/README.md.");
}
