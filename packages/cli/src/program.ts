// The command line as a contract: names, options, help. Every action imports its command only when it runs.

import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { runCommand } from "./command.ts";
import type { CertifyOptions } from "./commands/certify.ts";
import type { CompareOptions } from "./commands/compare.ts";
import type { CompareModelOptions } from "./commands/compare-model.ts";
import type { CompileOptions } from "./commands/compile.ts";
import type { EvaluateOptions } from "./commands/evaluate.ts";
import type { FitOptions } from "./commands/fit.ts";
import type { InspectOptions } from "./commands/inspect.ts";
import type { RefitOptions } from "./commands/refit.ts";
import { EXIT } from "./failure.ts";
import {
  count,
  counts,
  grid,
  increasing,
  integer,
  names,
  parameters,
  positive,
  range,
  scales,
  share,
} from "./options.ts";

type Chosen<Options> = Omit<Options, "file">;

const EXIT_CODES = `
Exit codes:
  0    done
  1    something you gave cannot be used (a function, a file, a name of a format or method, a value that does not
       suit them): the message says what, where, and what to do
  2    the command line is wrong: an option, or a number, range or choice that nothing else could make right
  70   internal error: please report it
  130  interrupted; nothing was written, but for what certify --exhaustive keeps to go on from`;

const SPLITS = ["report", "selection", "calibration", "all"];
const NORMS = ["max", "relative", "ulp", "mse"];

export function buildProgram(signal: AbortSignal): Command {
  const program = new Command("lutra")
    .description("Compiles the non-linear layers of neural networks into small lookup tables whose error is proven.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [COMMAND]", "the same as COMMAND --help")
    .addHelpText("after", `${EXIT_CODES}\n\nlutra COMMAND --help shows a command's options and an example.`)
    .showHelpAfterError("(lutra --help lists the commands)")
    .exitOverride();
  addFit(program, signal);
  addCertify(program, signal);
  addInspect(program, signal);
  addCompile(program, signal);
  addRefit(program, signal);
  addEvaluate(program, signal);
  addCompare(program, signal);
  addCompareModel(program, signal);
  return program;
}

function addFit(program: Command, signal: AbortSignal): void {
  addCommand(program, "fit", "the best table for one function, a number format and a budget, with its error proven")
    .argument("<FN>", 'a function (gelu, exp, rsqrt, ...) or an expression in x ("x*sigmoid(1.702*x)")')
    .option("--in <FORMAT>", "input format: s8.5, int8:0.05:3, binary32, binary16, bfloat16")
    .option("--out <FORMAT>", "output format; that of the input if absent")
    .option("--grid <LO:HI:STEP>", "instead of formats: binary32, the inputs lo, lo + step, ... below hi", grid)
    .option("--range <A,B>", "the inputs that count, if not all of the format", range)
    .option("--segments <N>", "how many segments the table may have", count)
    .option("--max-error <E>", "instead: the fewest segments with an error of at most E", positive)
    .option("--method <M>", "optimal, or a published method by name", "optimal")
    .option("--with <NAME=VALUE,...>", "what the method leaves open: lines=minimax", parameters)
    .addOption(new Option("--norm <NORM>", "the error to make small").choices(NORMS).default("max"))
    .option("--coefficients <FORMAT>", "format of the stored slopes and intercepts: s16.6")
    .option(
      "--histogram <FILE>",
      'weights of the inputs, for --norm mse: {"edges": [n + 1 numbers], "counts": [n numbers]}',
    )
    .addOption(
      new Option(
        "--tails <TAILS>",
        "beyond the range: the end's value, the last line, or the function's asymptotes",
      ).choices(["clamp", "extend", "auto"]),
    )
    .option(
      "--reduce <NAMES>",
      "range reductions: auto, none, or names in order (odd, even, reflect, octave, ...); auto for float formats",
    )
    .option(
      "--keep <NAMES>",
      "what the table must keep: zero, continuous, monotone, symmetric, power-of-two-breakpoints",
      names,
    )
    .option("--breakpoints <P,...>", "the table has exactly these breakpoints, and one segment more", increasing)
    .option("--seed <S>", "seed of randomised methods", integer, 1)
    .option("-o, --output <FILE>", "write problem, table and certificate to this file")
    .addHelpText(
      "after",
      example(
        "lutra fit gelu --in s8.5 --out s8.5 --segments 8",
        "lutra fit gelu --grid -4:4:0.01 --range -8,8 --segments 16 --norm mse --coefficients s16.6 -o gelu.json",
        "lutra fit gelu --in s16.12 --out s16.12 --segments 16 --keep zero,continuous",
        'lutra fit "x*sigmoid(1.702*x)" --in binary32 --range -8,8 --max-error 0.001 --json',
        'lutra fit --in s8.5 --segments 8 -- "-x*tanh(x)"      (an expression that begins with a minus)',
      ),
    )
    .action(async (fn: string, options: Omit<FitOptions, "fn">, command: Command) => {
      checkFitOptions(options, command);
      const { fit } = await import("./commands/fit.ts");
      await runCommand(fit, { ...options, fn }, signal);
    });
}

/** Rules between options, which commander does not know. */
function checkFitOptions(options: Omit<FitOptions, "fn">, command: Command): void {
  const { segments, maxError, breakpoints, grid, in: input } = options;
  const fail = (message: string): never => command.error(`error: ${message}`, { exitCode: EXIT.usage });
  if (segments !== undefined && maxError !== undefined) fail("give either --segments or --max-error");
  if (segments === undefined && maxError === undefined && breakpoints === undefined) {
    fail("give --segments, --max-error or --breakpoints");
  }
  if ((grid === undefined) === (input === undefined)) fail("give either --in (and --out) or --grid");
}

function addCertify(program: Command, signal: AbortSignal): void {
  addCommand(program, "certify", "proves the error of a table, independently of how it was found")
    .argument("<table.json>", "a file written by lutra fit -o or lutra compile")
    .option("--exhaustive", "visit every binary32 input besides: all 2^32 of them where the domain has no ends")
    .option("--threads <N>", "with --exhaustive: how many threads; all that the machine gives if absent", count)
    .option("--resume <FILE>", "with --exhaustive: where to keep what is done (default: table.json.progress)")
    .addHelpText(
      "after",
      example("lutra certify gelu.json", "lutra certify gelu.json --json", "lutra certify gelu.json --exhaustive"),
    )
    .action(async (file: string, options: Chosen<CertifyOptions>, command: Command) => {
      if (options.exhaustive !== true && (options.threads !== undefined || options.resume !== undefined)) {
        command.error("error: --threads and --resume go with --exhaustive", { exitCode: EXIT.usage });
      }
      const { certify } = await import("./commands/certify.ts");
      await runCommand(certify, { ...options, file }, signal);
    });
}

function addInspect(program: Command, signal: AbortSignal): void {
  addCommand(program, "inspect", "lists the non-linear layers of an ONNX model, whatever form the exporter gave them")
    .argument("<model.onnx>")
    .addHelpText("after", example("lutra inspect model.onnx"))
    .action(async (file: string, options: Chosen<InspectOptions>) => {
      const { inspect } = await import("./commands/inspect.ts");
      await runCommand(inspect, { ...options, file }, signal);
    });
}

function addCompile(program: Command, signal: AbortSignal): void {
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
      const { compile } = await import("./commands/compile.ts");
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

function addRefit(program: Command, signal: AbortSignal): void {
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
      const { refit } = await import("./commands/refit.ts");
      await runCommand(refit, { ...options, file }, signal);
    });
}

function addEvaluate(program: Command, signal: AbortSignal): void {
  addCommand(program, "evaluate", "measures a model on a dataset, alone or against another model")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .option("--against <OTHER.onnx>", "compare predictions and logits with this model's")
    .addOption(new Option("--split <SPLIT>", "which samples").choices(SPLITS).default("report"))
    .addHelpText("after", example("lutra evaluate out/model.lut.onnx --data data.json --against model.onnx"))
    .action(async (file: string, options: Chosen<EvaluateOptions>) => {
      const { evaluate } = await import("./commands/evaluate.ts");
      await runCommand(evaluate, { ...options, file }, signal);
    });
}

function addCompare(program: Command, signal: AbortSignal): void {
  addCommand(program, "compare", "every published method on one grid, each beside the optimum")
    .argument("<FN...>", "functions by name, or expressions in x")
    .option("--segments <N,...>", "how many entries each method may have", counts, [8, 16])
    .option("--grid <NAME>", "where errors are measured: gqa, int8, nn-lut, huang, as the papers do", "gqa")
    .option("--range <A,B>", "instead of the grid's own range; needed where the grid has none for a function", range)
    .option("--scales <A..B>", "with --grid int8: the input scales 2^-A to 2^-B", scales)
    .option("--methods <NAMES>", "only these methods", names)
    .option("--seeds <N>", "of methods that draw lots: the median of N seeds, with the best and the worst", count, 1)
    .option("--seed <S>", "the first seed", integer, 1)
    .option("-o, --output <DIR>", "folder for compare.json and figures (SVG)")
    .addHelpText(
      "after",
      example(
        "lutra compare gelu --segments 8,16 --grid gqa",
        "lutra compare gelu exp rsqrt --grid int8 --scales 0..6 --seeds 10 -o compared",
        'lutra compare "x*sigmoid(1.702*x)" --range -4,4 --methods optimal,uniform --json',
      ),
    )
    .action(async (functions: string[], options: Omit<CompareOptions, "functions">) => {
      const { compare } = await import("./commands/compare.ts");
      await runCommand(compare, { ...options, functions }, signal);
    });
}

function addCompareModel(program: Command, signal: AbortSignal): void {
  addCommand(program, "compare-model", "what each method costs a whole model, by method, size and kind of layer")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .option("--methods <NAMES>", "the methods to compare", names, ["optimal", "uniform"])
    .option("--segments <N,...>", "how many entries each table may have", counts, [16])
    .option(
      "--replace <KINDS>",
      "layers to replace: gelu, softmax, norms, ..., all; each and then all if absent",
      names,
    )
    .option("--ranges <GRID>", "fit on the ranges of a paper's grid: gqa, nn-lut, huang")
    .addOption(new Option("--norm <NORM>", "the error to make small").choices(NORMS).default("max"))
    .option("--seed <S>", "seed of randomised methods", integer, 1)
    .addHelpText(
      "after",
      example(
        "lutra compare-model model.onnx --data data.json --methods optimal,uniform,relu-net --segments 8,16",
        "lutra compare-model model.onnx --data data.json --methods uniform --segments 4096 --ranges huang",
      ),
    )
    .action(async (file: string, options: Chosen<CompareModelOptions>) => {
      const { compareModel } = await import("./commands/compare-model.ts");
      await runCommand(compareModel, { ...options, file }, signal);
    });
}

function addCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption("-h, --help", "print this help")
    .showHelpAfterError(`(lutra ${name} --help lists its options; write -- before an expression that begins with -)`)
    .option("--json", "print one JSON document instead of text");
}

function example(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
