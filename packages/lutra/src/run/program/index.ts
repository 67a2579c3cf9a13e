export type { FetchOptions, Source } from "./fetch-bytes.ts";
export * from "./load.ts";
