// TensorFlow.js's registry of kernels: ours in place of its own, and back. A backend may register its kernels before this or after: ours
// are put in place at once where there are some, and whenever a backend is chosen, when TensorFlow.js calls each kernel's setupFunc.

import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { kernelFunction } from "./compute.ts";
import { GRADIENT_KERNELS, registeredName, replaceGradients, restoreGradients } from "./gradients.ts";
import { BACKENDS, type BackendName } from "./host.ts";
import type { KernelName } from "./kernels.ts";

/** Kernels that TensorFlow.js has; a backend of another edition may lack some. */
const REPLACED: readonly KernelName[] = [
  ...(["Tanh", "Sigmoid", "Exp", "Erf", "Rsqrt"] as const),
  ...(["Elu", "EluGrad", "Softplus", "Softmax"] as const),
];

/** Our kernels in the registry, with TensorFlow.js's own that they stand for. */
const originals = new Map<KernelConfig, KernelConfig>();
let isInstalled = false;

/**
 * Replaces the kernels of Tanh, Sigmoid, Exp, Erf, Rsqrt, Elu, Softplus and Softmax in TensorFlow.js's wasm and cpu backends, and their
 * gradients. Importing "lutra/tfjs" does it. Nothing happens if it is done already.
 */
export function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  for (const backendName of BACKENDS) {
    replaceKernels(backendName);
    for (const name of GRADIENT_KERNELS) {
      registerKernel({
        kernelName: registeredName(name),
        backendName,
        kernelFunc: kernelFunction(name, backendName),
        setupFunc: () => {
          replaceKernels(backendName);
          replaceGradients();
        },
      });
    }
  }
  replaceGradients();
}

/** Puts TensorFlow.js's own kernels and gradients back. */
export function uninstall(): void {
  if (!isInstalled) return;
  isInstalled = false;
  restoreGradients();
  for (const backendName of BACKENDS) {
    for (const name of GRADIENT_KERNELS) unregisterKernel(registeredName(name), backendName);
    for (const name of REPLACED) {
      const original = originals.get(getKernel(name, backendName));
      if (original !== undefined) exchange(original);
    }
  }
  originals.clear();
}

function replaceKernels(backendName: BackendName): void {
  for (const name of REPLACED) {
    const original = getKernel(name, backendName) as KernelConfig | undefined;
    if (original === undefined || originals.has(original)) continue;
    const ours = { ...original, kernelFunc: kernelFunction(name, backendName, original) };
    originals.set(ours, original);
    exchange(ours);
  }
}

function exchange(config: KernelConfig): void {
  unregisterKernel(config.kernelName, config.backendName);
  registerKernel(config);
}
