// `import "lutra/tfjs"`: TensorFlow.js's wasm and cpu backends compute the functions of neural networks by tables of proven error, without
// another change to a program. It imports @tensorflow/tfjs-core, which the program brings; without it this import fails, and says so.

import { install } from "./tfjs/registry.ts";

export { BOUNDS, type Bound } from "./tfjs/bounds.ts";
export { install, uninstall } from "./tfjs/registry.ts";

install();
