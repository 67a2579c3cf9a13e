// Ctrl-C as an AbortSignal: commands stop at their next step and clean up behind them. A second Ctrl-C does not wait.

import { EXIT } from "./failure.ts";

export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}
