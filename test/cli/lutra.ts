// Runs the built command as a user would: a process of its own, in a folder of its own. `npm test` builds before it tests.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { ROOT } from "../shared.ts";

const BIN = join(ROOT, "packages/cli/bin/lutra.mjs");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Presses Ctrl-C as soon as this holds, or sends another signal. */
  readonly interruptWhen?: () => Promise<boolean>;
  readonly signal?: NodeJS.Signals;
  /** A command that runs the command that follows it. */
  readonly within?: readonly string[];
}

export function lutra(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { cwd, interruptWhen, signal = "SIGINT", within = [] } = options;
  const [command, ...rest] = [...within, process.execPath, BIN, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(command as string, rest, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    if (interruptWhen !== undefined) void interrupt(child, interruptWhen, signal);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

async function interrupt(child: ChildProcess, when: () => Promise<boolean>, signal: NodeJS.Signals): Promise<void> {
  while (child.exitCode === null && !(await when())) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill(signal);
}

/** Runs a command that must succeed and gives its JSON; typed by the caller, who knows the contract. */
export async function lutraJson<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await lutra([...args, "--json"], options);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

/** Runs a command that must fail for the user's reasons: exit code 1, a message, no stack trace, nothing on stdout. */
export async function lutraFails(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await lutra(args, options);
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^lutra: \S/);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return stderr;
}

/** A temporary folder for the tests of one file. */
export function temporaryFolder(): { path(name?: string): string; names(): Promise<string[]> } {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lutra-test-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return {
    path: (name = "") => join(folder, name),
    names: () => readdir(folder),
  };
}
