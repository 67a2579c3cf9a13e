// The file in which `lutra certify --exhaustive` keeps what it has done, so that it can go on after a stop. Finished parts only; it
// belongs to one kernel and one measure of errors, and is refused for any other.

import { rm } from "node:fs/promises";
import { type Certificate, type ExhaustedPart, exhaustiveParts, type InputRange, LutraError, toJson } from "lutra";
import { readJson, writeWhole } from "./files.ts";

const FORMAT = "lutra-progress";
const VERSION = 1;

/** What has been done so far. */
export interface Progress {
  readonly parts: readonly ExhaustedPart[];
  /** Time spent on them, over all attempts. */
  readonly seconds: number;
}

/** What the file says besides: which question the parts answer. */
interface Identity {
  readonly format: string;
  readonly version: number;
  readonly kernelHash: string;
  readonly relativeFloor: number;
}

function identityOf({ kernelHash, relative }: Certificate): Identity {
  return { format: FORMAT, version: VERSION, kernelHash, relativeFloor: relative.floor };
}

/** @throws LutraError "io" */
export async function writeProgress(path: string, certificate: Certificate, progress: Progress): Promise<void> {
  await writeWhole(path, `${toJson({ ...identityOf(certificate), ...progress })}\n`);
}

export async function removeProgress(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * What an earlier attempt has left; nothing if there is no such file.
 * @throws LutraError "mismatch" if it is about another table, "bad-data" if it is no such file, "io"
 */
export async function readProgress(path: string, certificate: Certificate): Promise<Progress> {
  const content = (await readIfThere(path)) as Partial<Identity & Progress> | null | undefined;
  if (content === undefined) return { parts: [], seconds: 0 };
  if (content?.format !== FORMAT || !Array.isArray(content.parts)) throw notProgress(path);
  for (const [key, value] of Object.entries(identityOf(certificate))) {
    if (content[key as keyof Identity] !== value) throw otherTable(path, key);
  }
  const known = new Set(exhaustiveParts(certificate.spec.domain).map(rangeText));
  const parts: readonly unknown[] = content.parts;
  const sound = parts.every((part) => isPart(part) && known.delete(rangeText(part)));
  if (!sound || !isCount(content.seconds)) throw notProgress(path);
  return { parts: content.parts, seconds: content.seconds };
}

async function readIfThere(path: string): Promise<unknown> {
  try {
    return await readJson(path);
  } catch (error) {
    const { cause } = error as { readonly cause?: NodeJS.ErrnoException };
    if (cause?.code === "ENOENT") return undefined;
    throw error;
  }
}

/** A part by the inputs it covers. */
export function rangeText({ first, last }: InputRange): string {
  return `${first}-${last}`;
}

function isPart(value: unknown): value is ExhaustedPart {
  const part = value as ExhaustedPart | null;
  if (part === null || typeof part !== "object" || typeof part.worst !== "object") return false;
  const counts = [part.first, part.last, part.evaluated, part.unmeasured];
  const bounds = [part.worst?.absolute, part.worst?.relative, part.worst?.ulp];
  return (
    counts.every(isCount) &&
    /^[0-9a-f]{16}$/.test(part.digest) &&
    bounds.every((b) => isCount(b?.upper) && isCount(b?.lower) && (b?.at === null || Number.isFinite(b?.at)))
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

function notProgress(path: string): LutraError {
  return new LutraError("bad-data", "this is no progress of an exhaustive certification", {
    where: path,
    note: "choose another file with --resume",
  });
}

function otherTable(path: string, key: string): LutraError {
  return new LutraError("mismatch", `the progress kept there is about another table: its ${key} differs`, {
    where: path,
    note: "delete the file to begin anew, or choose another one with --resume",
  });
}
