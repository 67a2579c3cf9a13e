// What the report of a program is made from: the same plain data that `lutra compile --to program --json` prints.

import type { CompiledProgram } from "lutra";
import type { ReportChange } from "./report-data.ts";

export interface ProgramReportData extends ReportChange {
  readonly model: string;
  /** Of the program's file, and of the model that was compiled. */
  readonly bytes: number;
  readonly originalBytes: number;
  readonly steps: number;
  /** With something in binary32 inside. */
  readonly floatSteps: number;
  readonly choices: CompiledProgram["choices"];
  readonly trials: CompiledProgram["trials"];
  /** Worst first; null if not asked for. */
  readonly sensitivity: CompiledProgram["sensitivity"];
}
