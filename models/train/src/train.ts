// The loop of training: gradients, Adam, a checkpoint now and then. What computes gradients is passed in (threads, or this
// one), so the loop owns no thread and no file.
import { type AdamState, adamStep, startAdam } from "./adam.ts";
import type { PartGradient, Settings } from "./gradient.ts";
import { initialParameters, type Parameters } from "./shape.ts";

/** Everything that the rest of a run depends on. */
export interface TrainingState {
  readonly settings: Settings;
  /** Steps done. */
  readonly step: number;
  readonly parameters: Parameters;
  readonly adam: AdamState;
  readonly curve: readonly CurvePoint[];
}

/** Means over the steps since the point before; exact match is of the validation set. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
  readonly exactMatch: number;
}

/** The gradients of all parts of a step's batch, in order. */
export type ComputeStep = (parameters: Parameters, step: number) => Promise<readonly PartGradient[]>;

export interface Hooks {
  /** Steps between two points of the curve; a state can be resumed from there. */
  readonly interval: number;
  readonly compute: ComputeStep;
  /** Share of the validation set that is right. */
  readonly validate: (parameters: Parameters) => number;
  /** Called with every new point of the curve. */
  readonly onPoint: (state: TrainingState, point: CurvePoint) => void;
}

export function startTraining(settings: Settings): TrainingState {
  const parameters = initialParameters(settings.model, settings.seed);
  return { settings, step: 0, parameters, adam: startAdam(parameters), curve: [] };
}

/** Trains up to step `until`, in whole intervals or to the last step. The arrays of `start` are changed in place. */
export async function train(start: TrainingState, hooks: Hooks, until: number): Promise<TrainingState> {
  const { settings, parameters, adam } = start;
  let state = start;
  let losses: readonly number[] = [];
  while (state.step < until) {
    const step = state.step + 1;
    const parts = await hooks.compute(parameters, step);
    adamStep(parameters, adam, average(parts.map(({ gradient }) => gradient)), step, rateAt(settings, step));
    losses = [...losses, ...parts.map(({ loss }) => loss)];
    state = { ...state, step };
    if (step % hooks.interval !== 0 && step !== settings.steps) continue;
    const point = { step, loss: mean(losses), exactMatch: hooks.validate(parameters) };
    losses = [];
    state = { ...state, curve: [...state.curve, point] };
    hooks.onPoint(state, point);
  }
  return state;
}

/** Linear warm-up, linear decay. */
function rateAt({ rate, warmUp, steps }: Settings, step: number): number {
  return rate * Math.min(step / warmUp, (steps - step + 1) / (steps - warmUp + 1));
}

function average(gradients: readonly Parameters[]): Parameters {
  return gradients[0].map(({ shape }, i) => ({
    shape,
    data: gradients[0][i].data.map((_, k) => mean(gradients.map((gradient) => gradient[i].data[k]))),
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
