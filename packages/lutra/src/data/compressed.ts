// Compressed files: .npz (a zip of .npy) and gzip. Declared sizes are checked against named limits before anything is inflated, and
// fflate writes into buffers of that size, so a bomb costs an error. Checksums are not verified.

import { gunzipSync, unzipSync } from "fflate";
import { LutraError, type Tensor } from "../base/index.ts";
import { readNpy } from "./npy.ts";

const MAX_ZIP_ENTRIES = 4_096;
/** Most bytes that one file may inflate to, all entries together. */
const MAX_INFLATED_BYTES: number = 2 ** 30;
/** Deflate cannot exceed 1032 : 1; a file that declares more is lying. */
const MAX_DEFLATE_RATIO = 1_032;

export function isZip(bytes: Uint8Array): boolean {
  // An empty zip starts with its end record, PK 5 6.
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The arrays of a .npz file by name, without ".npy". @throws LutraError "bad-data" */
export function readNpz(bytes: Uint8Array, name = "npz data"): Readonly<Record<string, Tensor>> {
  const arrays = Object.entries(unzip(bytes, name)).map(([file, content]) => {
    const key = file.replace(/\.npy$/, "");
    return [key, readNpy(content, `${name}: ${key}`)] as const;
  });
  return Object.fromEntries(arrays);
}

function unzip(bytes: Uint8Array, name: string): Record<string, Uint8Array> {
  let entries = 0;
  let inflated = 0;
  return refusing("zip", name, () =>
    unzipSync(bytes, {
      filter: ({ name: entry, size, originalSize }) => {
        entries++;
        inflated += originalSize;
        if (entries > MAX_ZIP_ENTRIES) {
          throw new LutraError("bad-data", `a zip file may hold ${MAX_ZIP_ENTRIES} entries, this has more`, {
            where: name,
          });
        }
        checkInflated(inflated, originalSize, size, `${name}: ${entry}`);
        return entry.endsWith(".npy");
      },
    }),
  );
}

/** The content of a gzip file of one member. @throws LutraError "bad-data" */
export function gunzip(bytes: Uint8Array, name: string): Uint8Array {
  // A header of 10 bytes, a trailer of 8 that ends in the inflated size.
  if (bytes.length < 18) throw new LutraError("bad-data", "the gzip file is truncated", { where: name });
  const declared = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true);
  checkInflated(declared, declared, bytes.length, name);
  return refusing("gzip", name, () => gunzipSync(bytes));
}

function checkInflated(total: number, size: number, compressed: number, where: string): void {
  if (!(total <= MAX_INFLATED_BYTES)) {
    throw new LutraError("bad-data", `inflates to ${total} bytes, the limit is ${MAX_INFLATED_BYTES}`, { where });
  }
  if (size > compressed * MAX_DEFLATE_RATIO) {
    throw new LutraError("bad-data", `${compressed} bytes cannot inflate to the ${size} bytes that the file declares`, {
      where,
    });
  }
}

/** Any complaint of the decompressor, whatever its class, is about the file. */
function refusing<T>(format: string, where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("bad-data", `cannot read the ${format} file: ${reason}`, { where, cause });
  }
}
