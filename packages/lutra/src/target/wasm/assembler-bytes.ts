// The byte encodings of a WebAssembly binary: LEB128 integers, floats, length-prefixed vectors. Core specification 2.0, section 5.

/** Unsigned LEB128 of an integer in [0, 2^32). */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128 of an integer that binary64 holds. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest < -0x40 || rest > 0x3f) {
    const low = rest - Math.floor(rest / 0x80) * 0x80;
    bytes.push(low + 0x80);
    rest = (rest - low) / 0x80;
  }
  bytes.push(rest < 0 ? rest + 0x80 : rest);
  return bytes;
}

/** The four bytes of a binary32 value, as memory holds them. */
export function float32(value: number): number[] {
  return [...new Uint8Array(littleEndian([value], "f32"))];
}

/** Numbers as WebAssembly memory holds them: little-endian, whatever the machine. */
export function littleEndian(values: ArrayLike<number>, type: "f32" | "i32" | "i16" | "i8"): ArrayBuffer {
  const bytes = type === "i8" ? 1 : type === "i16" ? 2 : 4;
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (type === "f32") view.setFloat32(i * 4, value, true);
    else if (type === "i32") view.setInt32(i * 4, value, true);
    else if (type === "i16") view.setInt16(i * 2, value, true);
    else view.setInt8(i, value);
  }
  return view.buffer;
}

/** A vector of the specification: how many elements, then these. */
export function vector(elements: readonly (readonly number[])[]): number[] {
  return [...unsigned(elements.length), ...elements.flat()];
}

export function text(value: string): number[] {
  const bytes = Array.from(value, (letter) => letter.charCodeAt(0));
  return [...unsigned(bytes.length), ...bytes];
}
