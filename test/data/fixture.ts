// A dataset from JSON and files in memory, so that each test shows all of its input.
import {
  type Dataset,
  loadDataset,
  type OpenTokenizer,
  parseDescription,
} from "../../packages/lutra/src/data/index.ts";
import { text } from "./bytes.ts";

export function load(
  description: object,
  files: Readonly<Record<string, Uint8Array>> = {},
  openTokenizer: OpenTokenizer | null = null,
): Promise<Dataset> {
  const json = parseDescription(text(JSON.stringify({ name: "d", ...description })), "d.json");
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = files[path];
    if (bytes === undefined) throw new Error(`ENOENT: ${path}`);
    return bytes;
  };
  return loadDataset(json, read, openTokenizer);
}
