// Threads of a pool, in pages and in Node: the same program, started as each of them starts one.

import { LutraError } from "../base/index.ts";
import { serve, type Task, WORDS, work } from "./pool-thread.ts";

export interface Thread {
  terminate(): void;
}

/** What is used of Node's Worker. */
interface NodeWorker extends Thread {
  on(event: "message" | "error" | "exit", listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  unref(): void;
}

interface NodeProcess {
  getBuiltinModule?(name: string): {
    readonly Worker: new (
      program: string,
      options: { readonly eval: true; readonly execArgv: readonly string[] },
    ) => NodeWorker;
  };
}

/**
 * A thread that is ready for jobs. It does not keep a process alive.
 * @throws LutraError "unsupported" where there are none, or it does not start
 */
export function startThread(task: Task): Promise<Thread> {
  const threads = (globalThis as { readonly process?: NodeProcess }).process?.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) {
    if (typeof Worker === "function") return startInPage(task);
    throw notStarted("there are no workers here");
  }
  // Also where there is a global Worker: packages with threads of their own define one in Node, and it loads no blobs.
  const thread = new threads.Worker(program('process.getBuiltinModule("node:worker_threads").parentPort'), {
    eval: true,
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    thread.on("message", () => {
      thread.unref();
      resolve(thread);
    });
    // Also for what comes later: a thread that ends between jobs is not missed.
    thread.on("error", (cause) => reject(notStarted(String(cause))));
    thread.on("exit", () => reject(notStarted("it ended")));
    thread.postMessage(task);
  });
}

function startInPage(task: Task): Promise<Thread> {
  const url = URL.createObjectURL(new Blob([program("self")], { type: "text/javascript" }));
  const thread = new Worker(url);
  const started = new Promise<Thread>((resolve, reject) => {
    thread.onmessage = () => resolve(thread);
    thread.onerror = (event) => reject(notStarted(event.message ?? "its program was not loaded"));
    thread.postMessage(task);
  });
  return started.finally(() => URL.revokeObjectURL(url));
}

function program(port: string): string {
  return `"use strict";(${serve})(${port}, ${JSON.stringify(WORDS)}, ${work});`;
}

function notStarted(why: string): LutraError {
  return new LutraError("unsupported", `a thread of the pool did not start: ${why}`, {
    note: "a page's security policy must allow blob: for workers; { threads: 1 } needs none",
  });
}
