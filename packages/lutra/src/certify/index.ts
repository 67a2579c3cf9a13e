// certify(kernel): what is proven about a filled kernel. Shares no code with fit: the checker must not share the searcher's mistakes.

export * from "./certify.ts";
export { type CertifyOptions, DEFAULT_RELATIVE_FLOOR } from "./elementwise.ts";
export * from "./exhaustive.ts";
export type { RowOptions } from "./row-proof.ts";
export type * from "./types.ts";
