// WAV: RIFF chunks, of which `fmt ` and `data` matter. 16-bit PCM only; anything else is refused by name.

import { LutraError, type Tensor } from "../base/index.ts";
import { decodeElements } from "./elements.ts";

const PCM = 1;
const MAX_CHANNELS = 256;

export function isWav(bytes: Uint8Array): boolean {
  return tag(bytes, 0) === "RIFF" && tag(bytes, 8) === "WAVE";
}

/** The samples, int16: [frames] of one channel, [frames, channels] of several. @throws LutraError "bad-data" */
export function readWav(bytes: Uint8Array, name = "wav data"): Tensor {
  if (!isWav(bytes)) throw new LutraError("bad-data", "not a .wav file", { where: name });
  const chunks = readChunks(bytes);
  const format = chunks.get("fmt ");
  const data = chunks.get("data");
  if (format === undefined || format.length < 16 || data === undefined) {
    throw new LutraError("bad-data", "the .wav file has no format or no samples", { where: name });
  }
  const view = new DataView(format.buffer, format.byteOffset, format.length);
  const [encoding, channels, bits] = [view.getUint16(0, true), view.getUint16(2, true), view.getUint16(14, true)];
  if (encoding !== PCM || bits !== 16 || channels === 0 || channels > MAX_CHANNELS) {
    const found = `encoding ${encoding}, ${bits} bits, ${channels} channels`;
    throw new LutraError("bad-data", `a .wav file must hold 16-bit PCM, got ${found}`, { where: name });
  }
  const frames = Math.floor(data.length / (2 * channels));
  const samples = decodeElements(data.subarray(0, frames * 2 * channels), "int16", "little", name);
  return { shape: channels === 1 ? [frames] : [frames, channels], data: samples };
}

/** By name, the first of each; a chunk that runs over the end stops there, as recorders that were cut off leave it. */
function readChunks(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks = new Map<string, Uint8Array>();
  for (let start = 12; start + 8 <= bytes.length; ) {
    const name = tag(bytes, start);
    const size = view.getUint32(start + 4, true);
    if (!chunks.has(name)) chunks.set(name, bytes.subarray(start + 8, start + 8 + size));
    start += 8 + size + (size % 2);
  }
  return chunks;
}

function tag(bytes: Uint8Array, start: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + 4));
}
