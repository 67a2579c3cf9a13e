// Commands about a model: inspect, compile, refit, evaluate.

import { type Command, Option } from "commander";
import { runCommand } from "../command.ts";
import type { CompileOptions } from "../commands/compile.ts";
import type { CompileProgramOptions } from "../commands/compile-program.ts";
import type { EvaluateOptions } from "../commands/evaluate.ts";
import type { InspectOptions } from "../commands/inspect.ts";
import type { RefitOptions } from "../commands/refit.ts";
import { EXIT } from "../failure.ts";
import { isProgram } from "../model-kind.ts";
import { count, integer, names, share, strength } from "../options.ts";
import { addCommand, type Chosen, example, NORMS, SPLITS } from "./add-command.ts";

export function addInspect(program: Command, signal: AbortSignal): void {
  addCommand(
    program,
    "inspect",
    "lists the non-linear layers of an ONNX model, whatever form the exporter gave them, or a program's steps",
  )
    .argument("<model>", "an ONNX model, or a program (.lutra)")
    .addHelpText("after", example("lutra inspect model.onnx", "lutra inspect out/model.lutra"))
    .action(async (file: string, options: Chosen<InspectOptions>) => {
      if (isProgram(file)) {
        const { inspectProgram } = await import("../commands/inspect-program.ts");
        await runCommand(inspectProgram, { ...options, file }, signal);
      } else {
        const { inspect } = await import("../commands/inspect.ts");
        await runCommand(inspect, { ...options, file }, signal);
      }
    });
}

export function addCompile(program: Command, signal: AbortSignal): void {
  const command = addCommand(
    program,
    "compile",
    "replaces a model's non-linear layers by proven tables, or the whole model by integers, and measures what that changes",
  )
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .requiredOption(
      "-o, --output <DIR>",
      "folder for the model, report.html and compile.json; of tables also tables/ and plan.json",
    )
    .addOption(
      new Option("--to <TARGET>", "what to write: an ONNX model with tables, or a program of integers, MODEL.lutra")
        .choices(["onnx", "program"])
        .default("onnx"),
    )
    .option(
      "--max-drop <P>",
      "the smallest tables, or the cheapest program, that cost at most P points of accuracy (or P % of NLL, perplexity)",
      share,
    );
  addTableOptions(command);
  addProgramOptions(command);
  command
    .addHelpText(
      "after",
      example(
        "lutra compile model.onnx --data data.json --segments 16 -o out",
        "lutra compile model.onnx --data data.json --max-drop 0.5 -o out",
        "lutra compile model.onnx --data data.json --plan out/plan.json -o edited",
        "lutra compile model.onnx --data data.json --to program -o out",
        "lutra compile model.onnx --data data.json --to program --max-drop 0.5 --sensitivity -o out",
      ),
    )
    .action(async (file: string, options: Chosen<CompileOptions> | Chosen<CompileProgramOptions>) => {
      checkCompileOptions(command);
      if (options.to === "program") {
        const { compileProgram } = await import("../commands/compile-program.ts");
        await runCommand(compileProgram, { ...options, file }, signal);
      } else {
        const { compile } = await import("../commands/compile.ts");
        await runCommand(compile, { ...options, file }, signal);
      }
    });
}

function addTableOptions(command: Command): void {
  command
    .optionsGroup("Options of --to onnx:")
    .option(
      "--segments <N>",
      "segments of each table (functions of 8-bit codes: an entry per code); with a limit, of those the chosen ones are compared with",
      count,
      16,
    )
    .option("--max-flips <P>", "the smallest tables that change at most P % of the answers", share)
    .option("--max-bytes <N>", "... of at most N bytes together; alone: the best tables in N bytes", count)
    .option("--method <M>", "optimal, or a published method by name", "optimal")
    .option("--only <KINDS>", "only layers of these kinds: gelu,softmax,layer-norm", names)
    .addOption(new Option("--norm <NORM>", "the error to make small").choices(NORMS).default("max"))
    .option("--plan <FILE>", "the plan.json of an earlier run, as it was or edited, instead of the choices above")
    .option("--flat", "plain operators instead of model-local functions, for tools that refuse those")
    .option("--seed <S>", "seed of randomised methods", integer, 1);
}

function addProgramOptions(command: Command): void {
  command
    .optionsGroup("Options of --to program:")
    .addOption(
      new Option("--ranges <HOW>", "where the ranges of 8-bit tensors end; auto: as trials choose")
        .choices(["auto", "min-max", "percentile", "mse"])
        .default("auto"),
    )
    .option(
      "--migration <S>",
      "how much of the outliers' scale moves into weights, 0 (nothing) to 1; auto: as trials choose",
      strength,
      "auto",
    )
    .addOption(
      new Option(
        "--attention <BITS>",
        "of queries and keys: narrow (7 and 8), wide (9 to 12); auto: wide where it pays",
      )
        .choices(["auto", "narrow", "wide"])
        .default("auto"),
    )
    .option("--allow-float", "compute what has no integer form in binary32 instead of stopping at its node")
    .option("--sensitivity", "also report how much noise each layer has and adds, worst first");
}

/** Options that only one target has, by attribute name. */
const OF_TARGET: Readonly<Record<CompileTarget, readonly string[]>> = {
  onnx: ["segments", "maxFlips", "maxBytes", "method", "only", "norm", "plan", "flat", "seed"],
  program: ["ranges", "migration", "attention", "allowFloat", "sensitivity"],
};

type CompileTarget = (CompileOptions | CompileProgramOptions)["to"];

/** A plan has made every choice but these. */
const BESIDE_PLAN = ["data", "output", "plan", "to", "flat", "seed", "json"];

function checkCompileOptions(command: Command): void {
  const to = command.getOptionValue("to") as CompileTarget;
  const other = to === "onnx" ? "program" : "onnx";
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === "cli");
  const foreign = given.find((option) => OF_TARGET[other].includes(option.attributeName()));
  if (foreign !== undefined) {
    command.error(`error: ${foreign.long} is an option of --to ${other}, not of --to ${to}`, { exitCode: EXIT.usage });
  }
  const decided = given.find((option) => !BESIDE_PLAN.includes(option.attributeName()));
  if (command.getOptionValue("plan") !== undefined && decided !== undefined) {
    command.error(`error: give either --plan or ${decided.long}: a plan has made that choice`, {
      exitCode: EXIT.usage,
    });
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
  addCommand(program, "evaluate", "measures a model or a program on a dataset, alone or against another")
    .argument("<model>", "an ONNX model, or a program (.lutra)")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .option("--against <OTHER>", "compare predictions and logits with this model's or program's")
    .addOption(new Option("--split <SPLIT>", "which samples").choices(SPLITS).default("report"))
    .addHelpText(
      "after",
      example(
        "lutra evaluate out/model.lut.onnx --data data.json --against model.onnx",
        "lutra evaluate out/model.lutra --data data.json --against model.onnx",
      ),
    )
    .action(async (file: string, options: Chosen<EvaluateOptions>) => {
      const { evaluate } = await import("../commands/evaluate.ts");
      await runCommand(evaluate, { ...options, file }, signal);
    });
}
