// lutra compare: every method on one grid, beside the optimum. The library compares; here rows become a table and figures.

import { join } from "node:path";
import {
  type ComparedTable,
  type CompareRow,
  type Control,
  compare as compareMethods,
  drive,
  parseFn,
  type Question,
  questionOf,
  toJson,
} from "lutra";
import { methodsFigure, standalone, tableFigure } from "lutra-figures";
import type { Command, CommonOptions } from "../command.ts";
import { type CompareData, compareText } from "../compare-text.ts";
import { stageFolder } from "../files.ts";
import { givenParameters } from "../options.ts";
import { certifyTable } from "./certify.ts";

export interface CompareOptions extends CommonOptions {
  readonly functions: readonly string[];
  readonly grid: string;
  readonly segments: readonly number[];
  readonly range?: readonly [number, number];
  /** k of the input scales 2^-k. */
  readonly scales?: readonly number[];
  readonly methods?: readonly string[];
  /** Parameters of methods. */
  readonly with?: Readonly<Record<string, string | number>>;
  readonly breakpointRounding?: string;
  readonly seeds: number;
  readonly seed: number;
  readonly output?: string;
}

export const compare: Command<CompareOptions, CompareData> = {
  async run(options, control) {
    const { methods, seeds, seed, output } = options;
    const questions = questionsOf(options);
    const parameters = givenParameters(options);
    const folder = output === undefined ? null : await stageFolder(output);
    try {
      const asked = {
        questions,
        parameters,
        seeds,
        seed,
        ...(methods === undefined ? {} : { methods }),
      };
      const { rows, tables, refused } = await drive(
        compareMethods(asked, () => performance.now() / 1000),
        control,
      );
      const written: string[] = [];
      const write = async (name: string, content: string): Promise<void> => {
        await folder?.write(name, content);
        written.push(join(output ?? "", name));
      };
      if (folder !== null) {
        await write("compare.json", `${toJson({ parameters, rows, refused })}\n`);
        for (const [name, svg] of figuresOf(rows)) await write(name, svg);
        for (const compared of tables) await write(...(await tableFigureOf(compared, control)));
      }
      await folder?.commit();
      return { parameters, rows, refused, files: written };
    } catch (error) {
      await folder?.discard();
      throw error;
    }
  },
  print: compareText,
};

function questionsOf({ functions, grid, segments, range, scales }: CompareOptions): readonly Question[] {
  const own = {
    ...(range === undefined ? {} : { range: { lo: range[0], hi: range[1] } }),
    ...(scales === undefined ? {} : { scales }),
  };
  return [...new Set(functions)].flatMap((fn) => segments.map((count) => questionOf(fn, grid, count, own)));
}

/** Two figures per function: error against segments, and the front of error against bytes. */
function figuresOf(rows: readonly CompareRow[]): readonly (readonly [name: string, svg: string])[] {
  const functions = [...new Set(rows.map(({ fn }) => fn))];
  return functions.flatMap((fn) => {
    const own = rows.filter((row) => row.fn === fn);
    const draw = (xName: string, of: (row: CompareRow) => number, front: boolean): string =>
      standalone(
        methodsFigure({
          id: "compare",
          title: `${fn}, grid ${own[0]?.grid ?? ""}`,
          xName,
          yName: "mean square error",
          front,
          series: [...new Set(own.map(({ method }) => method))].map((method) => ({
            name: method,
            isYardstick: method === "optimal",
            points: own.filter((row) => row.method === method).map((row) => [of(row), row.mse] as const),
          })),
        }),
      );
    const name = plain(fn);
    return [
      [`${name}-segments.svg`, draw("entries", ({ entries, segments }) => (entries > 0 ? entries : segments), false)],
      [`${name}-bytes.svg`, draw("bytes", ({ bytes }) => bytes, true)],
    ] as const;
  });
}

/** The function and its table over each other, and the error between its proven bounds (as Huang et al. 2022, figures 5 to 8). */
async function tableFigureOf(
  { method, fn, segments, table }: ComparedTable,
  control: Control,
): Promise<readonly [name: string, svg: string]> {
  const certificate = await certifyTable(table, { signal: control.signal });
  const exact = parseFn(fn);
  const name = `${fn}: ${method}, ${segments} segments`;
  const svg = tableFigure({ id: "table", name, table, exact: (x) => exact.evaluate(x), certificate });
  return [`${plain(fn)}-${method}-${segments}.svg`, standalone(svg)];
}

/** What a file name may hold. */
function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, "_");
}
