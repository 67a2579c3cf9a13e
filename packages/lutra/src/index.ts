// Everything a user of the library needs, re-exported. No code here.

export * from "./base/index.ts";
export * from "./certify/index.ts";
export * from "./compile.ts";
export * from "./data/index.ts";
export * from "./fit/index.ts";
export * from "./fn/index.ts";
export * from "./kernel/index.ts";
export * from "./layer/index.ts";
export * from "./model/index.ts";
export * from "./num/index.ts";
export * from "./onnx/index.ts";
export * from "./table/index.ts";
export * as onnxTarget from "./target/onnx/index.ts";
