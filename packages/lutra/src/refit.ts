// refit: a plan's tables fitted again to what the layers see, the model compiled with them, and both measured.

import type { Control } from "./base/index.ts";
import { type Compilation, compilePlan } from "./compile.ts";
import type { Dataset } from "./data/index.ts";
import {
  checkPlan,
  compareScores,
  type Metrics,
  type Plan,
  type RefitOptions,
  refitPlan,
  score,
} from "./model/index.ts";
import { concatenate, type Model } from "./onnx/index.ts";
import { fillPlan, rewritten } from "./prove.ts";
import { type CompileTools, openWorkbench, type Workbench, type WorkbenchOptions } from "./workbench.ts";

export interface Refit extends Omit<Compilation, "allocation"> {
  /** What the plan's own tables cost: what there was to recover. */
  readonly unfitted: { readonly metrics: Metrics; readonly flips: number };
}

/**
 * @param plan of `compile`, by any method
 * @throws LutraError "mismatch" if the plan is about another model; whatever its parts throw; "cancelled"
 */
export async function refit(
  given: Model,
  dataset: Dataset,
  plan: Plan,
  options: RefitOptions & Omit<WorkbenchOptions, "only">,
  tools: CompileTools,
  control: Control = {},
): Promise<Refit> {
  const start = tools.now();
  const workbench = await openWorkbench(given, dataset, options, tools, control);
  try {
    checkPlan(plan, workbench.bench.sites, workbench.bench.empty);
    const fitted = refitPlan(plan, workbench.bench.calibration, options);
    const unfitted = await measured(workbench, plan, tools, control);
    return { ...(await compilePlan(workbench, fitted, start, tools, control)), unfitted };
  } finally {
    await workbench.original.release();
  }
}

async function measured(
  { bench, dataset, before }: Workbench,
  plan: Plan,
  tools: CompileTools,
  control: Control,
): Promise<Refit["unfitted"]> {
  const session = await tools.openSession(concatenate(rewritten(bench, await fillPlan(plan, bench))));
  try {
    const after = await score(session, dataset, "report", control, { stage: "measuring the plan's tables" });
    return { metrics: after.metrics, flips: compareScores(before, after).flips };
  } finally {
    await session.release();
  }
}
