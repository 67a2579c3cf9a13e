export { withCustomSection } from "./assembler-module.ts";
export { emit } from "./emit.ts";
export type { EmitOptions, EmittedModule, Form, ModuleMemory, Port } from "./module.ts";
export { PANEL_COLUMNS, panelBytes, productLayout } from "./product.ts";
export { isProbeExact, productProbe } from "./product-probe.ts";
export { OUTER_AXES } from "./program/copies.ts";
export {
  emitProgram,
  FUNCTIONS,
  type KernelFunction,
  knownModule,
  type MadeModule,
  type ProductFunctions,
  type ProgramModule,
} from "./program/emit-program.ts";
export type { Family, ProductStep } from "./program/factors.ts";
export { packModule, unpackModule } from "./program/packed.ts";
export { PORT_STEP, PORTS, portsModule } from "./program/ports.ts";
