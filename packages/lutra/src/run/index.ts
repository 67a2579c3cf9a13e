export { fromJson, LutraError } from "../base/index.ts";
export { fill, type Kernel } from "../kernel/index.ts";
export { elementwise } from "../layer/index.ts";
export { parseTable, type Table } from "../table/index.ts";
export type { Codes } from "./codes.ts";
export * from "./compile-kernel.ts";
