// One step of each recurrent operator, in the operator set's own equations and gate order. A cell first adds what can be computed before
// the sequence starts (outside), then gives the function that adds one step (inside the loop). Only what computes; no shapes, no loop.

import type { Nodes } from "./nodes.ts";
import type { Direction, Recurrent } from "./operator.ts";

/** A direction's weights, as values outside the loop. H is the hidden size, G the number of gates. */
export interface Weights {
  /** R transposed, [H, G * H]. */
  readonly recurrent: string;
  /** The recurrent bias [G * H] where it is not in `x` already: GRU's that resets after the product. */
  readonly recurrentBias: string | null;
  /** P, [3 * H]: input, output, forget. */
  readonly peepholes: string | null;
}

/** x [batch, G * H] is the step's input times W transposed, plus biases. Returns the states after the step, in the order given. */
export type Step = (body: Nodes, x: string, states: readonly string[]) => readonly string[];

type Cell = (operator: Recurrent, direction: Direction, outside: Nodes, weights: Weights) => Step;

export const GATES: Readonly<Record<Recurrent["type"], number>> = { LSTM: 4, GRU: 3, RNN: 1 };

export const CELLS: Readonly<Record<Recurrent["type"], Cell>> = { LSTM: lstm, GRU: gru, RNN: rnn };

/** An activation of a sum of products, clipped before. The operator set clips what h gets too; onnxruntime does not. */
function activate({ clip }: Recurrent, body: Nodes, name: string, activation: string, x: string): string {
  if (clip === null) return body.op(name, activation, [x]);
  const bounds = [body.number(`${name}_least`, -clip), body.number(`${name}_most`, clip)];
  return body.op(name, activation, [body.op(`${name}_clipped`, "Clip", [x, ...bounds])]);
}

/**
 * i, o, f = f(x + H R^T [+ P * C]); c = g(x + H R^T); C' = f * C + i * c; H' = o * h(C'), where o's peephole sees C'.
 * Without peepholes the three gates are one activation over [batch, 3 * H].
 */
function lstm(operator: Recurrent, { activations: [f, g, h] }: Direction, outside: Nodes, weights: Weights): Step {
  const { hiddenSize: size, couplesForget } = operator;
  const three = [size, size, size];
  const peepholes =
    weights.peepholes === null ? null : outside.split(["peep_i", "peep_o", "peep_f"], weights.peepholes, three);
  return (body, x, [hidden, cell]) => {
    const act = (name: string, activation: string, value: string) => activate(operator, body, name, activation, value);
    const sum = body.op("sum", "Add", [x, body.op("recurrent", "MatMul", [hidden, weights.recurrent])]);
    const [gates, candidate] = body.split(["gates_sum", "candidate_sum"], sum, [3 * size, size]);
    const names = ["input", "output", "forget"];
    const [inputGate, outputGate, forgetGate] =
      peepholes === null
        ? body.split(names, act("gates", f, gates), three)
        : body.split(
            names.map((name) => `${name}_sum`),
            gates,
            three,
          );
    const peep = (name: string, index: number, sum: string, state: string): string => {
      if (peepholes === null) return sum;
      const seen = body.op(`${name}_peephole`, "Mul", [peepholes[index], state]);
      return act(name, f, body.op(`${name}_peeped`, "Add", [sum, seen]));
    };
    const i = peep("input", 0, inputGate, cell);
    const forget = couplesForget
      ? body.op("coupled", "Sub", [body.number("one", 1), i])
      : peep("forget", 2, forgetGate, cell);
    const kept = body.op("kept", "Mul", [forget, cell]);
    const added = body.op("added", "Mul", [i, act("candidate", g, candidate)]);
    const after = body.op("cell", "Add", [kept, added]);
    const o = peep("output", 1, outputGate, after);
    return [body.op("hidden", "Mul", [o, body.op("squashed", h, [after])]), after];
  };
}

/**
 * z, r = f(x + H R^T); h = g(x + (r * H) R^T), or g(x + r * (H R^T + bias)) where it resets after the product;
 * H' = (1 - z) * h + z * H.
 */
function gru(operator: Recurrent, { activations: [f, g] }: Direction, outside: Nodes, weights: Weights): Step {
  const { hiddenSize: size, resetsAfter } = operator;
  const sizes = [2 * size, size];
  const [forGates, forHidden] = outside.split(["recurrent_gates", "recurrent_hidden"], weights.recurrent, sizes);
  const [gatesBias, hiddenBias] =
    weights.recurrentBias === null
      ? [null, null]
      : outside.split(["recurrent_bias_gates", "recurrent_bias_hidden"], weights.recurrentBias, sizes);
  return (body, x, [hidden]) => {
    const multiply = (name: string, state: string, matrix: string, bias: string | null): string => {
      const made = body.op(`${name}_recurrent`, "MatMul", [state, matrix]);
      return bias === null ? made : body.op(`${name}_biased`, "Add", [made, bias]);
    };
    const [xGates, xHidden] = body.split(["x_gates", "x_hidden"], x, sizes);
    const gatesSum = body.op("gates_sum", "Add", [xGates, multiply("gates", hidden, forGates, gatesBias)]);
    const gates = activate(operator, body, "gates", f, gatesSum);
    const [update, reset] = body.split(["update", "reset"], gates, [size, size]);
    const remembered = resetsAfter
      ? body.op("remembered", "Mul", [reset, multiply("hidden", hidden, forHidden, hiddenBias)])
      : multiply("hidden", body.op("reset_hidden", "Mul", [reset, hidden]), forHidden, hiddenBias);
    const candidateSum = body.op("candidate_sum", "Add", [xHidden, remembered]);
    const candidate = activate(operator, body, "candidate", g, candidateSum);
    const rest = body.op("rest", "Sub", [body.number("one", 1), update]);
    const added = body.op("added", "Mul", [rest, candidate]);
    return [body.op("hidden", "Add", [added, body.op("kept", "Mul", [update, hidden])])];
  };
}

/** H' = f(x + H R^T). */
function rnn(operator: Recurrent, { activations: [f] }: Direction, _outside: Nodes, weights: Weights): Step {
  return (body, x, [hidden]) => {
    const sum = body.op("sum", "Add", [x, body.op("recurrent", "MatMul", [hidden, weights.recurrent])]);
    return [activate(operator, body, "hidden", f, sum)];
  };
}
