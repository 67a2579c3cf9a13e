// The hidden names that files and folders have while they are written, beside their target: ".NAME.lutra-<place>-<process>-<random>".
// A killed process leaves what it began; the next one to write the same target removes it. Never what a living process, or one that this
// machine cannot see, may still be writing.

import { createHash, randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** A new name for what will become `target`, in the target's folder or in `folder`. */
export function temporaryFor(target: string, folder: string = dirname(target)): string {
  return join(folder, `${prefixFor(target)}${process.pid}-${randomBytes(4).toString("hex")}`);
}

/** Removes what processes that are gone have left of `target` in a folder, as far as it can be removed. */
export async function removeStale(target: string, folder: string = dirname(target)): Promise<void> {
  const prefix = prefixFor(target);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const owner = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length)) : null;
    if (owner === null || isRunning(Number(owner[1]))) continue;
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

function prefixFor(target: string): string {
  return `.${basename(target)}.lutra-${place()}-`;
}

/** Where process numbers mean something: this machine and, on Linux, this container. Eight digits of a hash. */
function place(): string {
  return createHash("sha256").update(`${hostname()}\n${processNamespace()}`).digest("hex").slice(0, 8);
}

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it: it is another user's, and runs.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
