// The only place that touches the disk. Reads say what is wrong with which path. Writes are whole or not at all: everything goes
// into a temporary name on its target's file system and is renamed at the end; a failure removes what was begun (temporary.ts: even a kill).

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromJson, LutraError } from "lutra/base";
import { removeStale, temporaryFor } from "./temporary.ts";

export type Content = string | Uint8Array | readonly Uint8Array[];

/** What marks a folder as one that `lutra compile` wrote: its own tables/ inside may be replaced. */
const FOLDER_MARK = "compile.json";

/** Most that Node reads in one call. */
const MAX_BYTES: number = 2 ** 31 - 1;

/** @throws LutraError "io" */
export async function readBytes(path: string): Promise<Uint8Array> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path);
    const found = await handle.stat();
    // What has no size (a pipe), and what is too large for an array, is Node's to read or to refuse.
    const isPlain = found.isFile() && found.size > 0 && found.size < MAX_BYTES;
    return isPlain ? await readInOneCall(handle, found.size) : await handle.readFile();
  } catch (cause) {
    throw ioError("read", path, cause);
  } finally {
    await handle?.close();
  }
}

/** In bytes; 0 of a pipe. @throws LutraError "io" */
export async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw ioError("read", path, cause);
  }
}

/** A read of Node's own comes in small pieces, three times as slowly for a model of 300 MB. */
async function readInOneCall(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await handle.read(bytes, done, size - done, done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

/** @throws LutraError "io", or "bad-data" if the file is not JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return fromJson(text);
  } catch (cause) {
    const note = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("bad-data", `the file is not JSON: ${note}`, { where: path, cause });
  }
}

/** Writes a file whole or not at all. Pipes and devices are written to directly. @throws LutraError "io" */
export async function writeWhole(path: string, content: Content): Promise<void> {
  if (await isSpecial(path)) return await writeContent(path, content);
  const target = await resolved(path);
  const temporary = temporaryFor(target);
  try {
    await removeStale(target);
    await writeContent(temporary, content);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause instanceof LutraError ? withPath(cause, path) : ioError("write", path, cause);
  }
}

/** A folder being prepared beside its target, or inside it. Call `commit` to put it there or `discard` to leave no trace. */
export interface StagedFolder {
  write(name: string, content: Content): Promise<void>;
  /** Puts a large file there too, without using space where the file system allows it: as a hard link, else as a copy. */
  addFile(name: string, source: string): Promise<void>;
  /** Writes a file for as long as `use` takes, beside what has been put there so far. */
  lend<T>(content: Content, use: (path: string) => Promise<T>): Promise<T>;
  /** Returns the paths of the files written, below the target. */
  commit(): Promise<readonly string[]>;
  discard(): Promise<void>;
}

/**
 * Begins a folder. Checks at once that it can be written, so that a long computation does not end at a closed door.
 * @param options `writesTables`: whether a tables/ inside will be replaced, as by lutra compile; `mayReplace`: whether a file may take the
 * place of one that says something else
 * @throws LutraError "io"
 */
export async function stageFolder(
  target: string,
  { writesTables = true, mayReplace = true }: { readonly writesTables?: boolean; readonly mayReplace?: boolean } = {},
): Promise<StagedFolder> {
  await checkReplaceable(target, writesTables);
  const stage = await temporaryFolderFor(target);
  const created = await makeFolder(dirname(stage), target);
  await makeFolder(stage, target);
  const names: string[] = [];
  const added: string[] = [];
  const discard = async (): Promise<void> => {
    await rm(stage, { recursive: true, force: true });
    if (created !== undefined) await removeIfEmpty(created, dirname(stage));
  };
  return {
    async write(name, content) {
      await checkNoFolder(join(target, name));
      if (!mayReplace) await checkSame(join(target, name), content);
      await makeFolder(dirname(join(stage, name)), target);
      await writeContent(join(stage, name), content, join(target, name));
      names.push(name);
    },
    async addFile(name, source) {
      await makeFolder(dirname(join(stage, name)), target);
      await linkOrCopy(await resolved(source), join(stage, name), join(target, name));
      added.push(name);
    },
    async lend(content, use) {
      const path = join(stage, `lent-${randomBytes(4).toString("hex")}`);
      try {
        await writeContent(path, content, target);
        return await use(path);
      } finally {
        await rm(path, { force: true });
      }
    },
    async commit() {
      try {
        await moveInto(stage, target, names, added);
        await rm(stage, { recursive: true, force: true });
      } catch (cause) {
        await discard();
        throw ioError("write", target, cause);
      }
      return names.map((name) => join(target, name));
    },
    discard,
  };
}

/** @throws LutraError if `target` is a file, or holds a tables/ that would be replaced and that lutra did not write */
async function checkReplaceable(target: string, writesTables: boolean): Promise<void> {
  const found = await stat(target).catch(() => null);
  if (found === null) return;
  if (!found.isDirectory())
    throw new LutraError("io", `cannot write the folder: "${target}" is a file`, { where: target });
  if (!writesTables) return;
  const names = await readdir(target);
  if (names.includes("tables") && !names.includes(FOLDER_MARK)) {
    throw new LutraError("io", `the folder "${target}" has a tables/ that lutra did not write`, {
      where: join(target, "tables"),
      note: "choose another folder with -o",
    });
  }
}

/** @throws LutraError "io" if a folder has the place of a file: nobody's files are removed with it */
async function checkNoFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) return;
  throw new LutraError("io", `"${path}" is a folder, a file is to be written there`, {
    where: path,
    note: "move it, or choose another place",
  });
}

/** @throws LutraError "io" if there is something at the path that says something else */
async function checkSame(path: string, content: Content): Promise<void> {
  if (!(await isFound(path))) return;
  const found = await readBytes(path).catch(() => null);
  const chunks = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  if (found !== null && Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).equals(found)) return;
  throw new LutraError("io", `"${path}" is there already and is not what would be written`, {
    where: path,
    note: "--force writes over it, --name and -o choose another place",
  });
}

/**
 * Entry by entry if the target exists, so that a user's other files there stay; the mark comes last. Files that were added go one by one:
 * their folders may be the user's.
 */
async function moveInto(
  stage: string,
  target: string,
  written: readonly string[],
  added: readonly string[],
): Promise<void> {
  if (!(await isFound(target))) return await rename(stage, target);
  for (const name of added) {
    await mkdir(dirname(join(target, name)), { recursive: true });
    await rename(join(stage, name), join(target, name));
  }
  const entries = [...new Set(written.map((name) => name.split("/")[0] as string))];
  entries.sort((a, b) => Number(a === FOLDER_MARK) - Number(b === FOLDER_MARK));
  for (const entry of entries) {
    await rm(join(target, entry), { recursive: true, force: true });
    await rename(join(stage, entry), join(target, entry));
  }
}

async function makeFolder(path: string, target: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (cause) {
    // Node says "no such file" where the folder above it cannot be written.
    const reason = await access(await existingAbove(path), constants.W_OK).then(
      () => cause,
      (why: unknown) => why,
    );
    throw ioError("write", target, reason);
  }
}

async function existingAbove(path: string): Promise<string> {
  const above = dirname(path);
  return above === path || (await isFound(above)) ? above : await existingAbove(above);
}

/** Removes the folders we made on the way to the target, from `last` up to `first`, as far as they are empty. */
async function removeIfEmpty(first: string, last: string): Promise<void> {
  for (let folder = last; folder.length >= first.length; folder = dirname(folder)) {
    if ((await readdir(folder).catch(() => ["?"])).length > 0) return;
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeContent(path: string, content: Content, shown: string = path): Promise<void> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, "w");
    for (const chunk of typeof content === "string" || content instanceof Uint8Array ? [content] : content) {
      await handle.writeFile(chunk);
    }
    await handle.close();
  } catch (cause) {
    await handle?.close().catch(() => {});
    throw ioError("write", shown, cause);
  }
}

/** Other file systems, and some that have no hard links, need a copy. */
async function linkOrCopy(source: string, target: string, shown: string): Promise<void> {
  try {
    await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
  } catch (cause) {
    throw ioError("write", shown, cause);
  }
}

/** On the target's own file system: inside it if it exists, since it may be a mounted one; beside it if not. */
async function temporaryFolderFor(target: string): Promise<string> {
  await removeStale(target);
  if (!(await isFound(target))) return temporaryFor(target);
  await removeStale(target, target);
  return temporaryFor(target, target);
}

async function isFound(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

async function isSpecial(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && !found.isFile() && !found.isDirectory();
}

/** The file a symbolic link points to, so that the link itself survives. */
async function resolved(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "a part of the path is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  ENAMETOOLONG: "the name is too long",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB",
};

function ioError(action: "read" | "write", path: string, cause: unknown): LutraError {
  if (cause instanceof LutraError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new LutraError("io", `cannot ${action} "${path}": ${reason}`, { cause });
}

/** The same failure, told of the path the user gave instead of its temporary neighbour. */
function withPath(error: LutraError, path: string): LutraError {
  return ioError("write", path, error.cause);
}
