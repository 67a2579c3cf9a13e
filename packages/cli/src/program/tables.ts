// Commands about tables: fit, certify, emit.

import { type Command, Option } from "commander";
import { runCommand } from "../command.ts";
import type { CertifyOptions } from "../commands/certify.ts";
import type { FitOptions } from "../commands/fit.ts";
import type { EmitOptions } from "../emit-options.ts";
import { EXIT } from "../failure.ts";
import { count, forms, grid, identifier, increasing, integer, names, parameters, positive, range } from "../options.ts";
import { addCommand, breakpointRounding, type Chosen, example, NORMS } from "./add-command.ts";

const TARGETS: readonly string[] = ["c", "typescript", "wasm"];
const LAYERS: readonly string[] = ["softmax", "log-softmax", "layer-norm", "rms-norm"];
/** Layers that add epsilon to a variance, and scale and shift columns. */
const NORM_LAYERS: readonly string[] = ["layer-norm", "rms-norm"];

export function addFit(program: Command, signal: AbortSignal): void {
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
    .addOption(breakpointRounding())
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
        "lutra fit gelu --in s8.2 --out s16.12 --range -4,4 --segments 8 --norm mse --method genetic --breakpoint-rounding exact",
        'lutra fit "x*sigmoid(1.702*x)" --in binary32 --range -8,8 --max-error 0.001 --json',
        'lutra fit --in s8.5 --segments 8 -- "-x*tanh(x)"      (an expression that begins with a minus)',
      ),
    )
    .action(async (fn: string, options: Omit<FitOptions, "fn">, command: Command) => {
      checkFitOptions(options, command);
      const { fit } = await import("../commands/fit.ts");
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

export function addCertify(program: Command, signal: AbortSignal): void {
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
      const { certify } = await import("../commands/certify.ts");
      await runCommand(certify, { ...options, file }, signal);
    });
}

export function addEmit(program: Command, signal: AbortSignal): void {
  addCommand(
    program,
    "emit",
    "a table, or a layer of a row, as code with the same bits and no dependencies: C99, TypeScript, WebAssembly",
  )
    .argument("[table.json...]", "files written by lutra fit -o or lutra compile; several with --layer")
    .addOption(new Option("--target <TARGET>", "what to write").choices(TARGETS).makeOptionMandatory())
    .option("-o, --output <DIR>", "folder for the files", ".")
    .option("--name <NAME>", "name of files and functions (default: lut_ and the function or layer)", identifier)
    .option("--force", "write over files that are there and say something else")
    .option(
      "--form <FORMS>",
      "of wasm: simd (if absent), scalar, relaxed; of several, the loader takes the first that its engine runs",
      forms,
    )
    .addOption(new Option("--layer <LAYER>", "a layer of a row, whose functions the tables are").choices(LAYERS))
    .option("--max-row <N>", "with --layer: the longest row", count)
    .option("--in <FORMAT>", "of softmax: integer codes of at most 8 bits (s8.4) to uint8, without any table file")
    .option("--epsilon <E>", "of the norms: what is added to the variance", positive)
    .option("--gamma", "of the norms: a factor for each column")
    .option("--beta", "of the norms, with --gamma: a summand for each column")
    .addHelpText(
      "after",
      example(
        "lutra emit gelu.json --target c -o src",
        "lutra emit out/tables/gelu.json --target typescript -o src",
        "lutra emit gelu.json --target wasm --form relaxed,simd -o src",
        "lutra emit exp.json reciprocal.json --layer softmax --max-row 1024 --target c -o src",
        "lutra emit --layer softmax --in s8.4 --max-row 512 --target wasm -o src",
        "lutra emit rsqrt.json --layer layer-norm --max-row 768 --epsilon 1e-5 --gamma --beta --target wasm -o src",
      ),
    )
    .action(async (files: readonly string[], options: Omit<EmitOptions, "files">, command: Command) => {
      checkEmitOptions(files, options, command);
      const { emit } = await import("../commands/emit.ts");
      await runCommand(emit, { ...options, files }, signal);
    });
}

function checkEmitOptions(files: readonly string[], options: Omit<EmitOptions, "files">, command: Command): void {
  const { layer, maxRow, epsilon, gamma, beta, form, target } = options;
  const fail = (message: string): never => command.error(`error: ${message}`, { exitCode: EXIT.usage });
  if (layer === undefined && files.length > 1) fail("several tables make a layer: give --layer");
  if (options.in !== undefined && layer !== "softmax") fail("--in goes with --layer softmax");
  if (options.in !== undefined && maxRow !== undefined && maxRow > 65536) fail("a row of codes has at most 65536");
  if (options.in !== undefined && files.length > 0) fail("--layer softmax --in FORMAT takes no table files");
  if (options.in === undefined && files.length === 0) fail("give table files, or --layer softmax --in FORMAT");
  if (form !== undefined && target !== "wasm") fail("--form goes with --target wasm");
  if ((layer === undefined) !== (maxRow === undefined)) fail("--layer and --max-row go together");
  const isNorm = layer !== undefined && NORM_LAYERS.includes(layer);
  if (isNorm && epsilon === undefined) fail(`--layer ${layer} needs --epsilon, what is added to the variance: 1e-5`);
  if (!isNorm && epsilon !== undefined) fail(`--epsilon goes with --layer ${NORM_LAYERS.join(" and ")}`);
  if (!isNorm && (gamma ?? beta) !== undefined) fail("--gamma and --beta go with a norm");
  if (beta === true && gamma !== true) fail("--beta goes with --gamma");
}
