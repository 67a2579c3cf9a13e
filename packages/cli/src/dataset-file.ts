// A dataset description on disk, and the files it names, which lie relative to it.

import { basename, dirname, resolve } from "node:path";
import { type Dataset, loadDataset, type OpenTokenizer, parseDescription } from "lutra";
import { tokenizerOpener } from "lutra/tokenizers";
import { readBytes } from "./files.ts";
import { inFile } from "./model-file.ts";

/** @throws LutraError "io" or "bad-data", naming the file and the place in it */
export async function readDataset(path: string): Promise<Dataset> {
  const bytes = await readBytes(path);
  const folder = dirname(path);
  return await inFile(path, async () =>
    loadDataset(parseDescription(bytes, basename(path)), (file) => readBytes(resolve(folder, file)), openTokenizer),
  );
}

/** The package is loaded only by datasets whose texts need it. */
const openTokenizer: OpenTokenizer = async (tokenizer, config) =>
  tokenizerOpener(await import("@huggingface/tokenizers"))(tokenizer, config);
