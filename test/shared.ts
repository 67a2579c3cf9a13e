// What a test may need beyond Node: the material in ../shared, a compiler, a browser, the right to mount.
// A missing prerequisite skips the whole group and says in one line what is missing; with CI set it fails
// instead, so that a green CI run means that everything ran. The group's body is not entered when skipped,
// so it may read its files at once. GPU tests are the exception: they may be skipped in CI too.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";

/** The repository's root directory, absolute. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url));

const SHARED = resolve(ROOT, "..", "shared");

/** Commands that even CI may lack: they need hardware that a machine without a GPU does not have. */
const HARDWARE_COMMANDS: readonly string[] = ["nvcc", "nvidia-smi"];

/** Absolute path of `../shared/<relative>`; says nothing about whether it exists. */
export function sharedPath(relative: string): string {
  return resolve(SHARED, relative);
}

/** `describe`, skipped (in CI: failed) where `../shared` is missing. */
export function describeShared(name: string, body: () => void): void {
  describeWith({ shared: "." }, name, body);
}

/** What a group of tests needs: an executable on PATH, or a path below `../shared`, or more of it. */
export interface Prerequisites {
  /** Mounts in a namespace of its own, by `unshare`. */
  readonly mounts?: boolean;
  readonly command?: string;
  readonly shared?: string;
}

/** `describe`, skipped (in CI: failed) where a prerequisite is missing. */
export function describeWith(needs: Prerequisites, name: string, body: () => void): void {
  const missing = findMissing(needs);
  if (missing === null) {
    describe(name, body);
    return;
  }
  const mayBeSkipped = !process.env.CI || (needs.command !== undefined && HARDWARE_COMMANDS.includes(needs.command));
  describe(name, () => {
    it(`needs ${missing}`, ({ skip }) => {
      if (mayBeSkipped) skip(`${missing} is missing`);
      throw new Error(`${missing} is missing, and with CI set nothing but GPU tests may be skipped`);
    });
  });
}

function findMissing(needs: Prerequisites): string | null {
  if (needs.shared !== undefined && !existsSync(sharedPath(needs.shared))) {
    return needs.shared === "." ? "../shared" : `../shared/${needs.shared}`;
  }
  if (needs.command !== undefined && !hasCommand(needs.command)) return needs.command;
  if (needs.mounts === true && spawnSync("unshare", ["-rm", "true"]).status !== 0) return "the right to mount";
  return null;
}

/** Whether `command` can be started at all; its exit code does not matter. */
function hasCommand(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}
