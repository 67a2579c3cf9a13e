// Commands about a model: inspect, compile, refit, evaluate.

import { type Command, Option } from "commander";
import { runCommand } from "../command.ts";
import type { CompileOptions } from "../commands/compile.ts";
import type { EvaluateOptions } from "../commands/evaluate.ts";
import type { InspectOptions } from "../commands/inspect.ts";
import type { RefitOptions } from "../commands/refit.ts";
import { EXIT } from "../failure.ts";
import { count, integer, names, share } from "../options.ts";
import { addCommand, type Chosen, example, NORMS, SPLITS } from "./add-command.ts";

export function addInspect(program: Command, signal: AbortSignal): void {
  addCommand(program, "inspect", "lists the non-linear layers of an ONNX model, whatever form the exporter gave them")
    .argument("<model.onnx>")
    .addHelpText("after", example("lutra inspect model.onnx"))
    .action(async (file: string, options: Chosen<InspectOptions>) => {
      const { inspect } = await import("../commands/inspect.ts");
      await runCommand(inspect, { ...options, file }, signal);
    });
}

export function addCompile(program: Command, signal: AbortSignal): void {
  addCommand(program, "compile", "replaces a model's non-linear layers by proven tables and measures what that changes")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .requiredOption("-o, --output <DIR>", "folder for the model, its tables, plan.json, report.html and compile.json")
    .option(
      "--segments <N>",
      "segments of each table (functions of 8-bit codes: an entry per code); with a limit below, of those the chosen ones are compared with",
      count,
      16,
    )
    .option(
      "--max-drop <P>",
      "the smallest tables that cost at most P points of accuracy (or P % of NLL, perplexity)",
      share,
    )
    .option("--max-flips <P>", "... that change at most P % of the answers", share)
    .option("--max-bytes <N>", "... of at most N bytes together; alone: the best tables in N bytes", count)
    .option("--method <M>", "optimal, or a published method by name", "optimal")
    .option("--only <KINDS>", "only layers of these kinds: gelu,softmax,layer-norm", names)
    .addOption(new Option("--norm <NORM>", "the error to make small").choices(NORMS).default("max"))
    .option("--plan <FILE>", "the plan.json of an earlier run, as it was or edited, instead of the choices above")
    .addOption(new Option("--to <TARGET>", "what to write").choices(["onnx"]).default("onnx"))
    .option("--flat", "plain operators instead of model-local functions, for tools that refuse those")
    .option("--seed <S>", "seed of randomised methods", integer, 1)
    .addHelpText(
      "after",
      example(
        "lutra compile model.onnx --data data.json --segments 16 -o out",
        "lutra compile model.onnx --data data.json --max-drop 0.5 -o out",
        "lutra compile model.onnx --data data.json --plan out/plan.json -o edited",
      ),
    )
    .action(async (file: string, options: Chosen<CompileOptions>, command: Command) => {
      checkCompileOptions(command);
      const { compile } = await import("../commands/compile.ts");
      await runCommand(compile, { ...options, file }, signal);
    });
}

/** A plan has made every choice but these. */
const BESIDE_PLAN = ["data", "output", "plan", "to", "flat", "seed", "json"];

function checkCompileOptions(command: Command): void {
  if (command.getOptionValue("plan") === undefined) return;
  const given = command.options.find(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === "cli" && !BESIDE_PLAN.includes(option.attributeName()),
  );
  if (given !== undefined) {
    command.error(`error: give either --plan or ${given.long}: a plan has made that choice`, { exitCode: EXIT.usage });
  }
}

export function addRefit(program: Command, signal: AbortSignal): void {
  addCommand(program, "refit", "fits a plan's tables again to what the model's layers see, without labels")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .requiredOption("--plan <FILE>", "the plan.json of lutra compile")
    .requiredOption("-o, --output <DIR>", "folder for what lutra compile writes, made with the refitted tables")
    .option("--per-layer", "give every layer tables of its own instead of those it shares with others")
    .option("--flat", "plain operators instead of model-local functions, for tools that refuse those")
    .option("--seed <S>", "seed of randomised methods", integer, 1)
    .addHelpText(
      "after",
      example(
        "lutra compile model.onnx --data data.json --method relu-net --segments 8 -o out",
        "lutra refit model.onnx --data data.json --plan out/plan.json -o refitted",
      ).replace("Examples", "Example"),
    )
    .action(async (file: string, options: Chosen<RefitOptions>) => {
      const { refit } = await import("../commands/refit.ts");
      await runCommand(refit, { ...options, file }, signal);
    });
}

export function addEvaluate(program: Command, signal: AbortSignal): void {
  addCommand(program, "evaluate", "measures a model on a dataset, alone or against another model")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .option("--against <OTHER.onnx>", "compare predictions and logits with this model's")
    .addOption(new Option("--split <SPLIT>", "which samples").choices(SPLITS).default("report"))
    .addHelpText("after", example("lutra evaluate out/model.lut.onnx --data data.json --against model.onnx"))
    .action(async (file: string, options: Chosen<EvaluateOptions>) => {
      const { evaluate } = await import("../commands/evaluate.ts");
      await runCommand(evaluate, { ...options, file }, signal);
    });
}
