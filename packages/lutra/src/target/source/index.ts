export * from "./decimal.ts";
export type * from "./dialect.ts";
export * from "./header.ts";
export * from "./kernel.ts";
export * from "./layout.ts";
export * from "./rounding.ts";
