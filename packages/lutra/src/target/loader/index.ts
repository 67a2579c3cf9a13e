export { type BinaryFile, type EmittedFile, emit, type LoaderOptions } from "./emit.ts";
