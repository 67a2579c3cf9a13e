// The helpers of kernels in C.

import { type Helper, type RoundingHelper, roundedUp } from "../source/index.ts";

type Named = (helper: Helper) => string;

/** A helper's definition. It says on its own what it answers: these lines are read by those who get the file. */
export function helperText(helper: Helper, named: Named): string {
  const own = named(helper);
  switch (helper) {
    case "bits":
      return `static inline int32_t ${own}(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}`;
    case "float":
      return `static inline float ${own}(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}`;
    case "choose":
      return `static inline float ${own}(int condition, float a, float b) {
  const int32_t mask = -(int32_t)condition; /* gcc makes a jump of ?: on floats, which it does not vectorise */
  return ${named("float")}((${named("bits")}(a) & mask) | (${named("bits")}(b) & ~mask));
}`;
    case "minimum":
    case "maximum": {
      const [less, both] = helper === "minimum" ? ["<", "|"] : [">", "&"];
      const equal = `${named("float")}(${named("bits")}(a) ${both} ${named("bits")}(b))`;
      return `static inline float ${own}(float a, float b) {
  const float equal = ${equal}; /* of 0 and -0 */
  const float nearer = ${named("choose")}(a ${less} b, a, b);
  return ${named("choose")}(a != a, a, ${named("choose")}(a == b, equal, nearer));
}`;
    }
    case "total":
      return `static inline float ${own}(float *sums) {
  for (int half = 8; half >= 1; half /= 2) {
    for (int j = 0; j < half; j++) sums[j] += sums[j + half];
  }
  return sums[0];
}`;
    case "digits":
      return digits(own, "int64_t", 32);
    case "digits32":
      return digits(own, "int32_t", 16);
    default:
      return rounding(helper, own);
  }
}

function digits(own: string, type: string, half: number): string {
  return `static inline int32_t ${own}(${type} a) {
  int32_t digits = 0;
  for (int32_t step = ${half}; step >= 1; step /= 2) {
    if (a >> step > 0) {
      a >>= step;
      digits += step;
    }
  }
  return a > 0 ? digits + 1 : digits;
}`;
}

function rounding(helper: RoundingHelper, own: string): string {
  const up = roundedUp(helper, { equals: "==", isOdd: "(down & 1) != 0" });
  const isFloor = up === "";
  const [type, one] = helper.includes("32") ? ["int32_t", "INT32_C(1)"] : ["int64_t", "INT64_C(1)"];
  if (helper.startsWith("divide")) {
    return `static inline ${type} ${own}(${type} a, ${type} unit) {
  const ${type} down = a / unit - (a % unit < 0 ? 1 : 0);
${isFloor ? "" : `  const ${type} rest = a - down * unit;\n`}  return down${up};
}`;
  }
  if (helper.startsWith("shift")) {
    const rest = `  const ${type} unit = ${one} << places;\n  const ${type} rest = a & (unit - 1);\n`;
    return `static inline ${type} ${own}(${type} a, int32_t places) {
  const ${type} down = a >> places;
${isFloor ? "" : rest}  return down${up};
}`;
  }
  return `static inline int64_t ${own}(float x, int64_t low, int64_t high) {
  if (x != x) return 0;
  if (x >= 9007199254740992.0f) return high;
  if (x <= -9007199254740992.0f) return low;
  const int64_t whole = (int64_t)x;
  const int64_t down = whole - ((float)whole > x ? 1 : 0);
${isFloor ? "" : "  const double rest = (double)x - (double)down, unit = 1;\n"}  const int64_t near = down${up};
  return near < low ? low : near > high ? high : near;
}`;
}
