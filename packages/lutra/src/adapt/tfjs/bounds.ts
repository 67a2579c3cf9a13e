// How far the drop-in's answers can be from the exact functions: what certify proves of the tables and the layer in use, rounded up.
// Gradients add to these what their one product or few round.

export interface Bound {
  /** No input has a greater error. */
  readonly upper: number;
  /** An input whose error is within 4 % of it; null for Softmax, where it is a row. */
  readonly at: number | null;
  /** |error|, or |error| / max(|f|, floor). */
  readonly measure: "absolute" | "relative";
  readonly floor?: number;
  /** The inputs that it is about. */
  readonly over: string;
}

const FINITE = "all finite values";

/** By TensorFlow.js's name of the kernel. */
export const BOUNDS: Readonly<
  Record<"Tanh" | "Sigmoid" | "Erf" | "Elu" | "Softplus" | "Exp" | "Rsqrt" | "Softmax", Bound>
> = {
  Tanh: { upper: 9.5e-7, at: -0.6328127980232239, measure: "absolute", over: FINITE },
  Sigmoid: { upper: 5.2e-7, at: 1.2890616655349731, measure: "absolute", over: FINITE },
  Erf: { upper: 3.4e-7, at: -0.7832030653953552, measure: "absolute", over: FINITE },
  Elu: { upper: 1.17e-6, at: -0.003906726837158203, measure: "absolute", over: FINITE },
  Softplus: { upper: 1.23e-6, at: -0.015625419095158577, measure: "relative", floor: 1, over: FINITE },
  Exp: { upper: 4.2e-6, at: -86.6425552368164, measure: "relative", over: "-87.33 to 88.72: normal answers" },
  Rsqrt: { upper: 1.65e-7, at: 2.5576219311163696e-38, measure: "relative", over: "positive normal values" },
  Softmax: { upper: 6.3e-5, at: null, measure: "absolute", over: "rows of up to 1,024 values" },
};
