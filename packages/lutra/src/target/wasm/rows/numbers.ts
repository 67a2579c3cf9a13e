// Single numbers in memory: loads and stores of the widths that arrays and scratch have.

import type { Interval } from "../../../num/index.ts";
import { type Code, load, store } from "../assembler.ts";
import { converted, typeOf } from "./scalar.ts";
import type { Width } from "./widths.ts";

/** The number at an address, in the type of its range. */
export function loadNumber(width: Width, range: Interval | null, address: Code, offset = 0): Code {
  if (range === null) return load("f32.load", address, offset);
  const sign = range.lo < 0 ? "s" : "u";
  switch (width) {
    case 8:
      return load(`i32.load8_${sign}`, address, offset);
    case 16:
      return load(`i32.load16_${sign}`, address, offset);
    case 32:
      return load(typeOf(range) === "i64" ? "i64.load32_u" : "i32.load", address, offset);
    case 64:
      return converted(load("i64.load", address, offset), typeOf(range));
    default:
      return width satisfies never;
  }
}

export function storeNumber(width: Width, value: Code, address: Code, offset = 0): Code {
  if (value.type === "f32") return store("f32.store", address, value, offset);
  const word = converted(value, width === 64 ? "i64" : "i32");
  switch (width) {
    case 8:
      return store("i32.store8", address, word, offset);
    case 16:
      return store("i32.store16", address, word, offset);
    case 32:
      return store("i32.store", address, word, offset);
    case 64:
      return store("i64.store", address, word, offset);
    default:
      return width satisfies never;
  }
}
