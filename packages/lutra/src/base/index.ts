export * from "./error.ts";
export { type Fields, fields, type Members } from "./fields.ts";
export * from "./json.ts";
export * from "./tensor.ts";
export * from "./work.ts";
