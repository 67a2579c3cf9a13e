// Gradients of the replaced functions, each one kernel that goes over its values once, where the products and sums of TensorFlow.js's own take
// two to five. Those in y = f(x) use the answers that were delivered, those in x a table of the derivative itself. Each has a gradient in
// turn, for second derivatives.

import {
  add,
  div,
  engine,
  type GradConfig,
  getBackend,
  getGradient,
  getKernel,
  mul,
  registerGradient,
  sigmoid,
  sub,
  sum,
  type Tensor,
  unregisterGradient,
} from "@tensorflow/tfjs-core";
import { inputNames, type KernelName } from "./kernels.ts";

interface Gradient {
  /** TensorFlow.js's name of the function. */
  readonly of: string;
  readonly kernelName: KernelName;
  /** The function's input. */
  readonly input: "x" | "logits";
  /**
   * What comes back to the kernel's second input, the x or y of its function, when `back` comes back to its result.
   * @param kernel computes the kernel anew, for another dy
   */
  second(back: Tensor, dy: Tensor, at: Tensor, kernel: (dy: Tensor) => Tensor): Tensor;
}

/** Elu's gradient is a kernel of TensorFlow.js, and is replaced as that; exp's is a single product. */
const GRADIENTS: readonly Gradient[] = [
  {
    of: "Tanh",
    kernelName: "TanhGrad",
    input: "x",
    second: (back, dy, y) => mul(mul(back, dy), mul(-2, y)),
  },
  {
    of: "Sigmoid",
    kernelName: "SigmoidGrad",
    input: "x",
    second: (back, dy, y) => mul(mul(back, dy), sub(1, mul(2, y))),
  },
  {
    of: "Erf",
    kernelName: "ErfGrad",
    input: "x",
    second: (back, dy, x, kernel) => mul(kernel(mul(back, dy)), mul(-2, x)),
  },
  {
    of: "Rsqrt",
    kernelName: "RsqrtGrad",
    input: "x",
    second: (back, dy, x, kernel) => mul(kernel(mul(back, dy)), div(-1.5, x)),
  },
  {
    of: "Softplus",
    kernelName: "SoftplusGrad",
    input: "x",
    second: (back, dy, x) => mul(mul(back, dy), mul(sigmoid(x), sigmoid(mul(-1, x)))),
  },
  {
    of: "Softmax",
    kernelName: "SoftmaxGrad",
    input: "logits",
    second: (back, dy, y) => sub(mul(back, dy), add(mul(back, sumOfRow(mul(dy, y))), mul(dy, sumOfRow(mul(back, y))))),
  },
];

function sumOfRow(x: Tensor): Tensor {
  return sum(x, -1, true);
}

export const GRADIENT_KERNELS: readonly KernelName[] = GRADIENTS.map(({ kernelName }) => kernelName);

/** Kernels of one pass have names of their own in TensorFlow.js's registry. */
export function registeredName(name: KernelName): string {
  return GRADIENT_KERNELS.includes(name) ? `Lutra${name}` : name;
}

/** Our gradients in the registry, with TensorFlow.js's own that they stand for. */
const originals = new Map<GradConfig, GradConfig>();
/** Our gradients of our own kernels in the registry. */
const ofOurs = new Set<GradConfig>();

/** Replaces the gradients that TensorFlow.js has so far. On other backends than those with our kernels they do what they did. */
export function replaceGradients(): void {
  for (const gradient of GRADIENTS) {
    const original = getGradient(gradient.of) as GradConfig | undefined;
    if (original === undefined || originals.has(original)) continue;
    const ours = { ...original, gradFunc: firstOrder(gradient, original) };
    originals.set(ours, original);
    exchange(ours);
    const second = secondOrder(gradient);
    ofOurs.add(second);
    exchange(second);
  }
}

/** What somebody else has registered since stays. */
export function restoreGradients(): void {
  for (const { of, kernelName } of GRADIENTS) {
    const original = originals.get(getGradient(of));
    if (original !== undefined) exchange(original);
    const name = registeredName(kernelName);
    if (ofOurs.has(getGradient(name))) unregisterGradient(name);
  }
  originals.clear();
  ofOurs.clear();
}

function exchange(config: GradConfig): void {
  if (getGradient(config.kernelName) !== undefined) unregisterGradient(config.kernelName);
  registerGradient(config);
}

type GradFunction = GradConfig["gradFunc"];

/** What the kernel takes beside dy is what TensorFlow.js saves for its own gradient. */
function firstOrder(gradient: Gradient, original: GradConfig): GradFunction {
  const name = registeredName(gradient.kernelName);
  return (dy, saved, attributes) => {
    const at = saved[0] as Tensor;
    const isOurs = getKernel(name, getBackend()) !== undefined && at.dtype === "float32";
    if (!isOurs) return original.gradFunc(dy, saved, attributes);
    return { [gradient.input]: () => runGradient(gradient, dy as Tensor, at) };
  };
}

function secondOrder(gradient: Gradient): GradConfig {
  const atName = secondInput(gradient);
  return {
    kernelName: registeredName(gradient.kernelName),
    inputsToSave: ["dy", atName],
    gradFunc: (back, saved) => {
      const [dy, at] = saved as [Tensor, Tensor];
      const kernel = (by: Tensor): Tensor => runGradient(gradient, by, at);
      return {
        dy: () => kernel(back as Tensor),
        [atName]: () => gradient.second(back as Tensor, dy, at, kernel),
      };
    },
  };
}

/** All kernels here are linear in dy, and of Softmax also symmetric: they pass on what comes back as they pass on dy. */
function runGradient(gradient: Gradient, dy: Tensor, at: Tensor): Tensor {
  return engine().runKernel(registeredName(gradient.kernelName), { dy, [secondInput(gradient)]: at });
}

function secondInput({ kernelName }: Gradient): "x" | "y" {
  const [, second] = inputNames(kernelName);
  if (second === undefined) throw new RangeError(`${kernelName} is no gradient`);
  return second;
}
