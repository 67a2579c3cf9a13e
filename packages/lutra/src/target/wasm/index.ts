export { type EmitOptions, type EmittedModule, emit, type Form } from "./emit.ts";
