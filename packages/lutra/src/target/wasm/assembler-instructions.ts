// The instructions that the target uses, by their official names. Tables only. Core specification 2.0, section 5.4.
// Each has its opcode and a signature: operand types, then the result (i = i32, l = i64, f = f32, v = v128). Those that address memory leave
// the address out, and end with the logarithm of their natural alignment.

/** One-byte opcodes. */
export const CORE = {
  "i32.eqz": [0x45, "i>i"],
  "i32.lt_s": [0x48, "ii>i"],
  "i32.lt_u": [0x49, "ii>i"],
  "i32.gt_s": [0x4a, "ii>i"],
  "f32.eq": [0x5b, "ff>i"],
  "f32.ne": [0x5c, "ff>i"],
  "f32.lt": [0x5d, "ff>i"],
  "f32.gt": [0x5e, "ff>i"],
  "f32.ge": [0x60, "ff>i"],
  "i32.add": [0x6a, "ii>i"],
  "i32.sub": [0x6b, "ii>i"],
  "i32.mul": [0x6c, "ii>i"],
  "i32.and": [0x71, "ii>i"],
  "i32.or": [0x72, "ii>i"],
  "i32.xor": [0x73, "ii>i"],
  "i32.shl": [0x74, "ii>i"],
  "i32.shr_s": [0x75, "ii>i"],
  "i32.shr_u": [0x76, "ii>i"],
  "i64.shr_u": [0x88, "ll>l"],
  "f32.floor": [0x8e, "f>f"],
  "f32.add": [0x92, "ff>f"],
  "f32.sub": [0x93, "ff>f"],
  "f32.mul": [0x94, "ff>f"],
  "f32.min": [0x96, "ff>f"],
  "f32.max": [0x97, "ff>f"],
  "i32.wrap_i64": [0xa7, "l>i"],
  "f32.convert_i32_s": [0xb2, "i>f"],
  "i32.reinterpret_f32": [0xbc, "f>i"],
  "f32.reinterpret_i32": [0xbe, "i>f"],
} as const;

/** Opcodes behind the prefix 0xfd. */
export const SIMD = {
  "f32x4.eq": [0x41, "vv>v"],
  "f32x4.ne": [0x42, "vv>v"],
  "f32x4.lt": [0x43, "vv>v"],
  "f32x4.gt": [0x44, "vv>v"],
  "f32x4.ge": [0x46, "vv>v"],
  "v128.and": [0x4e, "vv>v"],
  "v128.or": [0x50, "vv>v"],
  "v128.xor": [0x51, "vv>v"],
  "v128.bitselect": [0x52, "vvv>v"],
  "f32x4.floor": [0x68, "v>v"],
  "i32x4.shl": [0xab, "vi>v"],
  "i32x4.shr_s": [0xac, "vi>v"],
  "i32x4.shr_u": [0xad, "vi>v"],
  "i32x4.add": [0xae, "vv>v"],
  "i32x4.sub": [0xb1, "vv>v"],
  "i32x4.min_s": [0xb6, "vv>v"],
  "i32x4.max_s": [0xb8, "vv>v"],
  "f32x4.add": [0xe4, "vv>v"],
  "f32x4.sub": [0xe5, "vv>v"],
  "f32x4.mul": [0xe6, "vv>v"],
  "f32x4.min": [0xe8, "vv>v"],
  "f32x4.max": [0xe9, "vv>v"],
  "f32x4.pmin": [0xea, "vv>v"],
  "f32x4.pmax": [0xeb, "vv>v"],
  "f32x4.convert_i32x4_s": [0xfa, "v>v"],
} as const;

/** Behind the prefix 0xfd, with a lane as immediate. */
export const EXTRACT = {
  "i64x2.extract_lane": [0x1d, "v>l"],
} as const;

/** One-byte opcodes that address memory. */
export const MEMORY = {
  "i32.load": [0x28, ">i", 2],
  "f32.load": [0x2a, ">f", 2],
  "i32.load8_u": [0x2d, ">i", 0],
  "i32.load16_u": [0x2f, ">i", 1],
  "i32.store": [0x36, "i>", 2],
  "f32.store": [0x38, "f>", 2],
  "i32.store8": [0x3a, "i>", 0],
  "i32.store16": [0x3b, "i>", 1],
} as const;

/** Opcodes that address memory behind the prefix 0xfd. */
export const SIMD_MEMORY = {
  "v128.load": [0x00, ">v", 4],
  "v128.store": [0x0b, "v>", 4],
  "v128.load32_zero": [0x5c, ">v", 2],
  "v128.load64_zero": [0x5d, ">v", 3],
} as const;

/** Loads into one lane of a vector. */
export const LANE_MEMORY = {
  "v128.load32_lane": [0x56, "v>v", 2],
  "v128.load64_lane": [0x57, "v>v", 3],
} as const;
