// Samples cut from one long signal: overlapping windows, the first ones with silence before the signal's start.

import { LutraError, type Numbers, type Tensor } from "../base/index.ts";
import type { Windows } from "./description.ts";

/** Most numbers that the windows of one signal may hold: 1 GiB. */
const MAX_WINDOWED_NUMBERS: number = 2 ** 27;

/** Every whole window of a signal: [windows, size]. @throws LutraError "bad-data" if it is not a list of numbers, or too short or long */
export function cutWindows(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Numbers },
  { size, step, before }: Windows,
  name: string,
): Tensor {
  if (shape.length !== 1) {
    throw new LutraError("bad-data", `windows are cut from a list of numbers, got shape (${shape.join(", ")})`, {
      where: name,
    });
  }
  const count = Math.floor((data.length + before - size) / step) + 1;
  if (count < 1 || count * size > MAX_WINDOWED_NUMBERS) {
    throw new LutraError("bad-data", `${data.length} values give ${Math.max(count, 0)} windows of ${size}`, {
      where: name,
      note: `at least 1, and at most ${MAX_WINDOWED_NUMBERS} numbers in all`,
    });
  }
  const windows = new Float64Array(count * size);
  for (let i = 0; i < count; i++) {
    const start = i * step - before;
    for (let j = Math.max(0, -start); j < size; j++) windows[i * size + j] = Number(data[start + j]);
  }
  return { shape: [count, size], data: windows };
}
