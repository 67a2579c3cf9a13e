// Makes the files that the readers read, byte by byte, from their formats' descriptions: the readers' own code is not used.
import { deflateRawSync } from "node:zlib";

const utf8 = new TextEncoder();

export function text(content: string): Uint8Array {
  return utf8.encode(content);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function little(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255);
}

function big(value: number, width: number): Uint8Array {
  return little(value, width).reverse();
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A .npy file, version 1, its header padded to 64 bytes as NumPy does. `header` replaces the dict literal. */
export function npy(descr: string, shape: readonly number[], data: Uint8Array, header?: string): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = header ?? `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  return join(Uint8Array.of(0x93), text("NUMPY"), Uint8Array.of(1, 0), little(padded.length, 2), text(padded), data);
}

export function npyFloats(shape: readonly number[], values: readonly number[]): Uint8Array {
  return npy("<f4", shape, bytesOf(Float32Array.from(values)));
}

export function npyInts(shape: readonly number[], values: readonly number[]): Uint8Array {
  return npy("<i4", shape, bytesOf(Int32Array.from(values)));
}

export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflate?: boolean;
  /** Declared inflated size, if it should lie. */
  readonly declared?: number;
}

/** A zip file; the checksums are 0, which the reader does not look at. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, content, deflate = false, declared = content.length } of entries) {
    const stored = deflate ? new Uint8Array(deflateRawSync(content)) : content;
    const common = join(
      ...[20, 0, deflate ? 8 : 0, 0, 0].map((field) => little(field, 2)),
      ...[0, stored.length, declared].map((field) => little(field, 4)),
      little(name.length, 2),
      little(0, 2),
    );
    const local = join(text("PK\u0003\u0004"), common, text(name), stored);
    directory.push(
      join(text("PK\u0001\u0002"), little(20, 2), common, new Uint8Array(10), little(offset, 4), text(name)),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = join(...directory);
  const end = join(
    text("PK\u0005\u0006"),
    little(0, 4),
    little(entries.length, 2),
    little(entries.length, 2),
    little(central.length, 4),
    little(offset, 4),
    little(0, 2),
  );
  return join(...locals, central, end);
}

/** An idx file; `data` is big-endian already. */
export function idx(typeCode: number, shape: readonly number[], data: Uint8Array): Uint8Array {
  return join(Uint8Array.of(0, 0, typeCode, shape.length), ...shape.map((extent) => big(extent, 4)), data);
}

/** A .wav file: an odd chunk that is skipped, the format, the samples. */
export function wav(samples: readonly number[], channels = 1, bits = 16, encoding = 1): Uint8Array {
  const rate = bytesOf(Uint32Array.of(16000, 16000 * 2 * channels));
  const format = join(bytesOf(Uint16Array.of(encoding, channels)), rate, bytesOf(Uint16Array.of(2 * channels, bits)));
  const data = bytesOf(Int16Array.from(samples));
  const skipped = join(text("LIST"), little(3, 4), text("abc"), Uint8Array.of(0));
  const body = join(
    text("WAVE"),
    skipped,
    text("fmt "),
    little(16, 4),
    format,
    text("data"),
    little(data.length, 4),
    data,
  );
  return join(text("RIFF"), little(body.length, 4), body);
}
