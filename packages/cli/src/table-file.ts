// The file a table travels in: {"format": "lutra-table", "version": 1, table, problem, certificate}. The table inside is checked
// field by field by the library; problem and certificate are what was true when the file was written.

import { type Certificate, type Json, LutraError, type Problem, parseTable, type Table, toJson } from "lutra";
import { readJson } from "./files.ts";

const FORMAT = "lutra-table";
const VERSION = 1;

export interface TableFile {
  readonly table: Table;
  readonly problem?: Problem;
  readonly certificate?: Certificate;
}

export function tableFileText(file: TableFile): string {
  return `${toJson({ format: FORMAT, version: VERSION, ...file })}\n`;
}

/** The table, checked, and the kernel hash of the certificate that came with it, if one did. */
export interface ReadTable {
  readonly table: Table;
  readonly certifiedHash: string | null;
}

/** @throws LutraError "io", "bad-data" or "bad-table" with the file and the place in it */
export async function readTableFile(path: string): Promise<ReadTable> {
  const content = asObject(await readJson(path));
  if (content === null || content.format !== FORMAT) {
    throw new LutraError("bad-table", 'not a table file: it has no "format": "lutra-table"', {
      where: path,
      note: "lutra fit -o and lutra compile write such files",
    });
  }
  if (content.version !== VERSION) {
    throw new LutraError("unsupported", `a table file of version ${JSON.stringify(content.version)}`, {
      where: path,
      note: `this lutra reads version ${VERSION}`,
    });
  }
  const certifiedHash = asObject(content.certificate)?.kernelHash;
  return {
    table: parseAt(path, content.table ?? null),
    certifiedHash: typeof certifiedHash === "string" ? certifiedHash : null,
  };
}

function parseAt(path: string, table: Json): Table {
  try {
    return parseTable(table);
  } catch (error) {
    if (!(error instanceof LutraError)) throw error;
    const where = error.where === undefined ? path : `${path}: ${error.where}`;
    throw new LutraError(error.code, error.message, {
      where,
      ...(error.note === undefined ? {} : { note: error.note }),
    });
  }
}

function asObject(json: unknown): Readonly<Record<string, Json>> | null {
  return json !== null && typeof json === "object" && !Array.isArray(json) ? (json as Record<string, Json>) : null;
}
