// Contestants as plain data, as KINDS of contestants.mjs opens them: what they are called, what they need, how far off their answers may be.
import { CHAIN, chain, SILU } from "./models.mjs";

/** What runtimes that compute the function itself may be off by: a few ulps, or networks' tanh form of GELU. */
const RUNTIME_ERROR = 1e-5;
const TANH_FORM_ERROR = 1e-3;
const CHAIN_ERROR = 1e-4;
export const RUNTIME_ERRORS = { y: RUNTIME_ERROR, chain: CHAIN_ERROR };

/** ONNX's, by function. */
export const OPERATORS = {
  gelu: "Gelu",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  exp: "Exp",
  erf: "Erf",
  silu: "Sigmoid * x",
};

export function lutra(contestant, kernel, tolerance) {
  return { kind: "lutra", contestant, kernel, tolerance };
}

export function loop(fn) {
  const tolerance = fn === "gelu" ? TANH_FORM_ERROR : RUNTIME_ERROR;
  return { kind: "javascript", contestant: "JavaScript, Math", fn, tolerance };
}

export function tensorflow(fn) {
  return { kind: "tensorflow", contestant: `tfjs-wasm ${fn}`, fn, tolerance: RUNTIME_ERROR };
}

/** The operator of a function; SiLU has none and is x * Sigmoid(x). */
export function onnxruntime(fn, dims) {
  const operator = fn === "silu" ? SILU : { opType: OPERATORS[fn] };
  return chained(OPERATORS[fn], operator, "f32", dims, RUNTIME_ERRORS);
}

/**
 * An operator in both runtimes: "RUNTIME OPERATOR, call", which is a whole call, and a chain, which becomes "RUNTIME OPERATOR, kernel", the
 * operator's own time.
 */
export function chained(named, operator, lane, dims, tolerance) {
  return ["onnxruntime-node", "onnxruntime-web"].flatMap((kind) => {
    const call = `${kind} ${named}, call`;
    const [single, long] = [1, CHAIN].map((length) => chain(operator, { lane, dims }, length));
    return [
      { kind, contestant: call, model: single, tolerance: tolerance.y },
      {
        kind,
        contestant: `${kind} ${named}, kernel`,
        model: long,
        tolerance: tolerance.chain,
        expect: "chain",
        chainOf: call,
        length: CHAIN,
      },
    ];
  });
}
