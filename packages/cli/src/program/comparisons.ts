// Commands that compare methods: compare, compare-model.

import { type Command, Option } from "commander";
import { runCommand } from "../command.ts";
import type { CompareOptions } from "../commands/compare.ts";
import type { CompareModelOptions } from "../commands/compare-model.ts";
import { count, counts, integer, names, parameters, range, scales } from "../options.ts";
import { addCommand, breakpointRounding, type Chosen, example, NORMS } from "./add-command.ts";

export function addCompare(program: Command, signal: AbortSignal): void {
  addCommand(program, "compare", "every published method on one grid, each beside the optimum")
    .argument("<FN...>", "functions by name, or expressions in x")
    .option("--segments <N,...>", "how many entries each method may have", counts, [8, 16])
    .option("--grid <NAME>", "where errors are measured: gqa, int8, nn-lut, huang, as the papers do", "gqa")
    .option("--range <A,B>", "instead of the grid's own range; needed where the grid has none for a function", range)
    .option("--scales <A..B>", "with --grid int8: the input scales 2^-A to 2^-B", scales)
    .option("--methods <NAMES>", "only these methods", names)
    .option("--with <NAME=VALUE,...>", "what methods leave open, for those that have it: lines=minimax", parameters)
    .addOption(breakpointRounding())
    .option("--seeds <N>", "of methods that draw lots: the median of N seeds, with the best and the worst", count, 1)
    .option("--seed <S>", "the first seed", integer, 1)
    .option("-o, --output <DIR>", "folder for compare.json and figures (SVG)")
    .addHelpText(
      "after",
      example(
        "lutra compare gelu --segments 8,16 --grid gqa",
        "lutra compare gelu exp rsqrt --grid int8 --scales 0..6 --seeds 10 -o compared",
        "lutra compare gelu --grid int8 --methods genetic-shared,optimal-shared --breakpoint-rounding exact",
        'lutra compare "x*sigmoid(1.702*x)" --range -4,4 --methods optimal,uniform --json',
      ),
    )
    .action(async (functions: string[], options: Omit<CompareOptions, "functions">) => {
      const { compare } = await import("../commands/compare.ts");
      await runCommand(compare, { ...options, functions }, signal);
    });
}

export function addCompareModel(program: Command, signal: AbortSignal): void {
  addCommand(program, "compare-model", "what each method costs a whole model, by method, size and kind of layer")
    .argument("<model.onnx>")
    .requiredOption("--data <FILE>", "dataset description (JSON): inputs, labels, metric, splits")
    .option("--methods <NAMES>", "the methods to compare", names, ["optimal", "uniform"])
    .option("--with <NAME=VALUE,...>", "what methods leave open, for those that have it: lines=minimax", parameters)
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
      const { compareModel } = await import("../commands/compare-model.ts");
      await runCommand(compareModel, { ...options, file }, signal);
    });
}
