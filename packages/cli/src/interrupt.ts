// Ctrl-C, a termination and a closed terminal as an AbortSignal: commands stop at their next step and clean up behind them. A second
// one does not wait.

import { EXIT } from "./failure.ts";

export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  return controller.signal;
}
