// The parts of a batch on one thread each. Parameters and gradients are copied between threads: small beside the computing.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PARTS, type PartGradient, type Settings } from "./gradient.ts";
import type { PartRequest } from "./gradient-worker.ts";
import type { Parameters } from "./shape.ts";
import type { ComputeStep } from "./train.ts";

/** Starts a thread per part. `close` ends them. */
export function startThreads(settings: Settings): {
  readonly compute: ComputeStep;
  readonly close: () => Promise<void>;
} {
  const workers = Array.from(
    { length: PARTS },
    () => new Worker(new URL("./gradient-worker.js", import.meta.url), { workerData: settings }),
  );
  const ask = async (worker: Worker, request: PartRequest): Promise<PartGradient> => {
    worker.postMessage(request);
    const [answer] = await once(worker, "message"); // rejects if the worker fails
    return answer;
  };
  return {
    compute: (parameters: Parameters, step: number) =>
      Promise.all(workers.map((worker, part) => ask(worker, { parameters, step, part }))),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
