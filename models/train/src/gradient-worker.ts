// A thread that computes gradients of parts of batches; see threads.ts, which starts it with the settings.
import { parentPort, workerData } from "node:worker_threads";
import { startBackend } from "./array.ts";
import { partGradients } from "./gradient.ts";
import { EXACT } from "./model.ts";
import type { Parameters } from "./shape.ts";

/** What a thread is asked. It answers with a PartGradient. */
export interface PartRequest {
  readonly parameters: Parameters;
  readonly step: number;
  readonly part: number;
}

await startBackend();
const compute = partGradients(workerData, EXACT);
parentPort?.on("message", ({ parameters, step, part }: PartRequest) => {
  parentPort?.postMessage(compute(parameters, step, part));
});
