// What the drop-in computes, as filled Kernels: the functions themselves, and what their gradients do in one pass. Built when first asked for.

import { fill, holes, type Kernel, KernelBuilder } from "../../kernel/index.ts";
import { elementwise, softmax } from "../../layer/index.ts";
import { BINARY32, MAX_BINARY32, MIN_NORMAL_BINARY32 } from "../../num/index.ts";
import { type TableName, tableOf } from "./tables.ts";

/** TensorFlow.js's names of kernels that are replaced, and names like them for those it has none for. */
export type KernelName =
  | "Tanh"
  | "Sigmoid"
  | "Exp"
  | "Erf"
  | "Rsqrt"
  | "Elu"
  | "Softplus"
  | "Softmax"
  | "EluGrad"
  | "TanhGrad"
  | "SigmoidGrad"
  | "ErfGrad"
  | "RsqrtGrad"
  | "SoftplusGrad"
  | "SoftmaxGrad";

interface Definition {
  /** The kernel's inputs as TensorFlow.js calls them. Two are the names of its params too; one is its only param. */
  readonly inputs: readonly [string, second?: "x" | "y"];
  build(): Kernel;
}

/** What the proof of Softmax covers; longer rows are computed alike. */
const PROVEN_ROW = 1024;
/** Numbers below the normal ones are brought among them by this factor, and an inverse root back by its root. */
const [LIFT, LIFT_ROOT] = [2 ** 24, 2 ** 12];
const LEAST_BINARY32 = 2 ** -149;

const DEFINITIONS: Readonly<Record<KernelName, Definition>> = {
  Tanh: lookup("tanh"),
  Sigmoid: lookup("sigmoid"),
  Exp: lookup("exp"),
  Erf: lookup("erf"),
  Elu: lookup("elu"),
  Softplus: lookup("softplus"),
  Rsqrt: {
    inputs: ["x"],
    build: () => {
      const build = new KernelBuilder();
      return finish(build, "rsqrt", inverseRoot(build, build.param("x", "element")));
    },
  },
  Softmax: { inputs: ["logits"], build: () => filled(softmax(PROVEN_ROW)) },
  TanhGrad: gradient("y", (build, y) => build.binary("sub", build.constant(1), square(build, y))),
  SigmoidGrad: gradient("y", (build, y) => build.binary("mul", y, build.binary("sub", build.constant(1), y))),
  EluGrad: gradient("y", (build, y) =>
    build.binary("add", build.binary("min", y, build.constant(0)), build.constant(1)),
  ),
  ErfGrad: gradient("x", (build, x) => lookedUp(build, "erf-slope", x)),
  SoftplusGrad: gradient("x", (build, x) => lookedUp(build, "sigmoid", x)),
  RsqrtGrad: gradient("x", (build, x) => {
    const y = inverseRoot(build, x);
    return build.binary("mul", build.binary("mul", y, build.constant(-0.5)), square(build, y));
  }),
  SoftmaxGrad: { inputs: ["dy", "y"], build: softmaxGradient },
};

export function inputNames(name: KernelName): Definition["inputs"] {
  return DEFINITIONS[name].inputs;
}

const built = new Map<KernelName, Kernel>();

export function kernelOf(name: KernelName): Kernel {
  const known = built.get(name);
  if (known !== undefined) return known;
  const kernel = DEFINITIONS[name].build();
  built.set(name, kernel);
  return kernel;
}

function lookup(name: TableName): Definition {
  return {
    inputs: ["x"],
    build: () => {
      const table = tableOf(name);
      return fill(elementwise(table.spec), { f: table });
    },
  };
}

/** dy * f'(x), the slope as a function of x or of y = f(x). */
function gradient(of: "x" | "y", slope: (build: KernelBuilder, of: number) => number): Definition {
  return {
    inputs: ["dy", of],
    build: () => {
      const build = new KernelBuilder();
      const dy = build.param("dy", "element");
      return finish(build, "gradient", build.binary("mul", dy, slope(build, build.param(of, "element"))));
    },
  };
}

/** dy * y - y * sum(dy * y) */
function softmaxGradient(): Kernel {
  const build = new KernelBuilder();
  const dy = build.param("dy", "element");
  const y = build.param("y", "element");
  const share = build.binary("mul", dy, y);
  const sum = build.reduce("add", share);
  return finish(build, "gradient", build.binary("sub", share, build.binary("mul", sum, y)));
}

/** 1 / sqrt(x) with all its ends: Infinity at 0, 0 at Infinity, NaN below 0; numbers that are not normal as exact as others. */
function inverseRoot(build: KernelBuilder, x: number): number {
  const leastNormal = build.constant(MIN_NORMAL_BINARY32);
  const lifted = build.binary("mul", x, build.constant(LIFT));
  const root = lookedUp(build, "rsqrt", build.select(x, leastNormal, lifted, x));
  const lowered = build.binary("mul", root, build.constant(LIFT_ROOT));
  const inside = build.select(x, leastNormal, lowered, root);
  const finite = build.select(build.constant(MAX_BINARY32), x, build.constant(0), inside);
  const infinity = build.constant(Infinity);
  const notPositive = build.select(x, build.constant(0), build.binary("sub", infinity, infinity), infinity);
  return build.select(x, build.constant(LEAST_BINARY32), notPositive, finite);
}

function square(build: KernelBuilder, y: number): number {
  return build.binary("mul", y, y);
}

function lookedUp(build: KernelBuilder, name: TableName, x: number): number {
  return build.lookup(name, tableOf(name).spec, x);
}

/** @param what says in words what no function of one number does */
function finish(build: KernelBuilder, what: string, result: number): Kernel {
  const domain = { lo: -MAX_BINARY32, hi: MAX_BINARY32 };
  return filled(build.finish({ fn: what, domain, input: BINARY32, output: BINARY32 }, result));
}

/** The kernel with the table of each hole's name. */
function filled(kernel: Kernel): Kernel {
  return fill(kernel, Object.fromEntries(holes(kernel).map(({ hole }) => [hole, tableOf(hole as TableName)])));
}
