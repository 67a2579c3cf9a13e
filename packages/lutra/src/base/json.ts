// Canonical JSON for plain data: infinities survive, keys are sorted, equal values give equal text and so equal hashes.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON text with sorted keys; infinities and -0 as strings "Infinity", "-Infinity", "-0"; undefined members dropped. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(canonical(value), null, indent);
}

/** Inverse of toJson. @throws SyntaxError */
export function fromJson(text: string): Json {
  return JSON.parse(text, (_key, value: Json) =>
    value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : value === "-0" ? -0 : value,
  ) as Json;
}

function canonical(value: unknown): unknown {
  if (typeof value === "number") {
    if (Number.isNaN(value)) throw new TypeError("NaN has no JSON form");
    return !Number.isFinite(value) ? String(value) : Object.is(value, -0) ? "-0" : value;
  }
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, canonical);
  if (Array.isArray(value)) return value.map(canonical);
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries.map(([key, member]) => [key, canonical(member)]));
  }
  return value;
}

/** 64-bit FNV-1a of the canonical JSON, as 16 hexadecimal digits (of UTF-16 units, one step each). A fingerprint for caches and certificates, not a seal. */
export function hash(value: unknown): string {
  const text = typeof value === "string" ? value : toJson(value);
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    // times 2^40 + 0x1b3, in two 32-bit halves
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
