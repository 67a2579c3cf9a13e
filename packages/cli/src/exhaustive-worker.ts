// A thread of exhaustive-pool.ts: visits the parts of the inputs it is sent, one at a time, and answers with what each found out.

import { parentPort, workerData } from "node:worker_threads";
import {
  type Certificate,
  type ExhaustedPart,
  exhaust,
  finish,
  type InputRange,
  type Kernel,
  LutraError,
  type LutraErrorCode,
} from "lutra";

/** What is visited: a table's kernel and its certificate. The thread starts with it. */
export interface Subject {
  readonly kernel: Kernel;
  readonly certificate: Certificate;
}

/** What the thread answers. A LutraError would lose its class on the way, so its facts travel alone. */
export type Answer =
  | { readonly part: ExhaustedPart }
  | {
      readonly failure: {
        readonly code: LutraErrorCode;
        readonly message: string;
        readonly where: string | undefined;
        readonly note: string | undefined;
      };
    };

const { kernel, certificate } = workerData as Subject;

function visit(range: InputRange): Answer {
  try {
    return { part: finish(exhaust(kernel, certificate, range)) };
  } catch (error) {
    if (!(error instanceof LutraError)) throw error;
    const { code, message, where, note } = error;
    return { failure: { code, message, where, note } };
  }
}

parentPort?.on("message", (range: InputRange) => parentPort?.postMessage(visit(range)));
