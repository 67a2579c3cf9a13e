// lutra fit: one table for one function. The options become a Problem, the library solves and certifies it, and the delivered
// table is measured where the problem asks.

import {
  type Certificate,
  decode,
  drive,
  type MeasuredError,
  measureTable,
  type Problem,
  printFormat,
  segmentCount,
  solve,
  type Table,
  tableBytes,
  type Unconstrained,
} from "lutra";
import { certificateFacts, intervalText } from "../certificate-text.ts";
import type { Command, CommonOptions } from "../command.ts";
import { writeWhole } from "../files.ts";
import { givenParameters } from "../options.ts";
import { type ProblemOptions, problemFrom } from "../problem.ts";
import { tableFileText } from "../table-file.ts";
import {
  alignedTable,
  facts,
  grouped,
  left,
  plural,
  right,
  type Style,
  seconds as secondsText,
  significant,
} from "../text.ts";
import { certifyTable } from "./certify.ts";

export interface FitOptions extends CommonOptions, ProblemOptions {
  readonly method: string;
  readonly seed: number;
  /** Parameters of the method. */
  readonly with?: Readonly<Record<string, string | number>>;
  readonly breakpointRounding?: string;
  readonly output?: string;
}

export interface FitData {
  readonly problem: Problem;
  readonly method: string;
  /** Given to the method beside the problem; its defaults where absent. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly table: Table;
  readonly certificate: Certificate;
  /** Of the delivered table, at the problem's points. */
  readonly error: MeasuredError;
  /** The problem's norm over its points, and what no table of this size and storage can go below, where that holds. */
  readonly objective: number;
  readonly bound: number;
  readonly boundHolds: string;
  /** The same of the best table found that keeps nothing; null if nothing was to be kept. */
  readonly unconstrained: Unconstrained | null;
  readonly segments: number;
  readonly bytes: number;
  readonly seconds: number;
}

export const fit: Command<FitOptions, FitData> = {
  async run(options, control) {
    const start = performance.now();
    const problem = await problemFrom(options);
    const parameters = givenParameters(options);
    const solved = await drive(solve(problem, options.method, { seed: options.seed, parameters }), control);
    const { table, objective, bound, boundHolds, unconstrained } = solved;
    const certificate = await certifyTable(table, control);
    const error = measureTable(problem, table);
    if (options.output !== undefined) await writeWhole(options.output, tableFileText({ table, problem, certificate }));
    return {
      problem,
      method: options.method,
      parameters,
      table,
      certificate,
      error,
      objective,
      bound,
      boundHolds,
      unconstrained,
      segments: segmentCount(table),
      bytes: tableBytes(table),
      seconds: (performance.now() - start) / 1000,
    };
  },
  print(data, style) {
    return [headline(data, style), proof(data, style), segmentTable(data, style)].join("\n\n");
  },
};

function headline(data: FitData, style: Style): string {
  const { problem, method, segments, bytes, error, seconds } = data;
  const { spec } = problem;
  const title = `${spec.fn} on ${intervalText(spec.domain)}: ${plural(segments, "segment")}, ${grouped(bytes)} bytes`;
  return [
    style.bold(title),
    facts(
      [
        ["formats", `${printFormat(spec.input)} to ${printFormat(spec.output)}`],
        ["method", `${method}, ${secondsText(seconds)}`],
        largestError(problem, error),
        ["mean square", significant(error.mse)],
        ["objective", objectiveText(data)],
        ...costOfKeeping(data),
      ],
      style,
    ),
  ].join("\n");
}

function objectiveText({ problem, objective, bound, boundHolds }: FitData): string {
  const gap = bound > 0 ? ` (${above(objective, bound)})` : "";
  return `${significant(objective)} (${problem.norm}); at least ${significant(bound)}${gap} for any table like it, over ${boundHolds}`;
}

/** What the constraints cost against the best table without them. */
function costOfKeeping({ problem, objective, unconstrained }: FitData): (readonly [string, string])[] {
  if (unconstrained === null) return [];
  const kept = (problem.keep ?? []).map((item) =>
    typeof item === "string" ? item : `breakpoints ${item.breakpoints}`,
  );
  const free = significant(unconstrained.objective);
  return [
    ["kept", kept.join(", ")],
    [
      "without that",
      `${free}: the table is ${above(objective, unconstrained.objective)}; at least ${significant(unconstrained.bound)} for any table that keeps nothing`,
    ],
  ];
}

/** "2.61 % above": how far a value lies from another. */
function above(value: number, from: number): string {
  const percent = (100 * (value - from)) / from;
  return `${significant(Math.abs(percent), 2)} % ${percent < 0 ? "below" : "above"}`;
}

/** Measured, in the sense that the problem asks for. */
function largestError({ norm }: Problem, { max, relative, over }: MeasuredError): readonly [string, string] {
  return norm === "relative"
    ? ["relative error", `${significant(relative)} measured over ${over}`]
    : ["max error", `${significant(max)} measured over ${over}`];
}

function proof({ certificate }: FitData, style: Style): string {
  return `${style.bold("proven")}\n${certificateFacts(certificate, style)}`;
}

/** More rows than this scroll the answer off the screen; the file and --json have all. */
const MAX_ROWS = 32;

function segmentTable({ table, certificate, segments }: FitData, style: Style): string {
  const columns = [right("segment"), right("from"), right("to"), right("slope"), right("intercept"), left("error")];
  const { input } = table.spec;
  const reach = (t: number | null | undefined): string =>
    t === null || t === undefined ? "" : significant(decode(input, t), 6);
  const stored = (c: number): string => (Number.isInteger(c) ? String(c) : significant(c, 6));
  const rows = Array.from({ length: Math.min(segments, MAX_ROWS) }, (_, i) => {
    const found = certificate.segments.find(({ segment }) => segment === i);
    return [
      String(i),
      reach(found?.from),
      reach(found?.to),
      stored(table.coefficients[1]?.[i] ?? 0),
      stored(table.coefficients[0]?.[i] ?? 0),
      found === undefined ? "" : `${significant(found.minError)} to ${significant(found.maxError)}`,
    ];
  });
  const rest = segments > MAX_ROWS ? `\n... and ${segments - MAX_ROWS} more` : "";
  return alignedTable(columns, rows, style) + rest;
}
