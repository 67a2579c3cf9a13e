// The helpers of kernels in TypeScript.

import { type Helper, type RoundingHelper, roundedUp } from "../source/index.ts";

/** A helper's definition. */
export function helperText(helper: Helper, named: (helper: Helper) => string): string {
  const own = named(helper);
  switch (helper) {
    case "bits":
      return `const ${own}View = new DataView(new ArrayBuffer(4));

function ${own}(x: number): number {
  ${own}View.setFloat32(0, x);
  return ${own}View.getInt32(0);
}`;
    case "float":
      return `const ${own}View = new DataView(new ArrayBuffer(4));

function ${own}(bits: number): number {
  ${own}View.setInt32(0, bits);
  return ${own}View.getFloat32(0);
}`;
    case "choose":
    case "digits32":
      throw new TypeError(`the dialect has no use for "${helper}"`);
    case "minimum":
      return `const ${own} = Math.min;`;
    case "maximum":
      return `const ${own} = Math.max;`;
    case "total":
      return `function ${own}(sums: Float32Array): number {
  for (let half = 8; half >= 1; half /= 2) {
    for (let j = 0; j < half; j++) sums[j] = (sums[j] as number) + (sums[j + half] as number);
  }
  return sums[0] as number;
}`;
    case "digits":
      return `function ${own}(a: number): number {
  const high = Math.floor(a / 2 ** 32);
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(a);
}`;
    default:
      return rounding(helper, own);
  }
}

function rounding(helper: RoundingHelper, own: string): string {
  const up = roundedUp(helper, { equals: "===", isOdd: "down % 2 !== 0" });
  const isFloor = up === "";
  if (helper.startsWith("divide")) {
    return `function ${own}(a: number, unit: number): number {
  const below = a % unit < 0 ? unit : 0;
  const down = (a - (a % unit) - below) / unit;
${isFloor ? "" : "  const rest = (a % unit) + below;\n"}  return down${up};
}`;
  }
  if (helper.startsWith("shift")) {
    return `function ${own}(a: number, places: number): number {
  const unit = 2 ** places;
  const down = Math.floor(a / unit);
${isFloor ? "" : "  const rest = a - down * unit;\n"}  return down${up};
}`;
  }
  return `function ${own}(x: number, low: number, high: number): number {
  if (Number.isNaN(x)) return 0;
  if (Math.abs(x) === Infinity) return x < 0 ? low : high;
  const down = Math.floor(x) + 0;
${isFloor ? "" : "  const rest = x - down;\n  const unit = 1;\n"}  const near = down${up};
  return near < low ? low : near > high ? high : near;
}`;
}
