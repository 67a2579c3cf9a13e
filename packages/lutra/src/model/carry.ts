// Recurrent models: a session whose runs hand their state on, so that the samples of a split are one sequence. One per pass over a split.

import { LutraError, type Session, type Tensor, type Tensors } from "../base/index.ts";
import type { Dataset } from "../data/index.ts";

/**
 * `session.run`, in which each carried input is what its output was in the run before, and as given in the first.
 * @throws LutraError "mismatch" if an output does not exist or does not fit its input
 */
export function carrying(session: Session, { carries }: Dataset): Session["run"] {
  const carried = Object.entries(carries);
  if (carried.length === 0) return session.run;
  let state: Tensors = {};
  return async (given, outputs) => {
    const inputs = { ...given, ...state };
    const wanted = outputs && [...new Set([...outputs, ...Object.values(carries)])];
    const results = await session.run(inputs, wanted);
    state = Object.fromEntries(carried.map(([input, output]) => [input, nextState(inputs[input], results, output)]));
    return outputs === undefined ? results : Object.fromEntries(outputs.map((name) => [name, results[name]]));
  };
}

function nextState({ shape }: Tensor, results: Tensors, output: string): Tensor {
  const next = Object.hasOwn(results, output) ? results[output] : undefined;
  if (next?.shape.length === shape.length && next.shape.every((extent, axis) => extent === shape[axis])) return next;
  const found = next === undefined ? "it does not exist" : `its shape is [${next.shape.join(", ")}]`;
  throw new LutraError("mismatch", `output "${output}" cannot be carried: ${found}`, {
    where: `a state of shape [${shape.join(", ")}]`,
  });
}
