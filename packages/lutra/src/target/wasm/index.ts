export { withCustomSection } from "./assembler-module.ts";
export { emit } from "./emit.ts";
export type { EmitOptions, EmittedModule, Form, ModuleMemory, Port } from "./module.ts";
