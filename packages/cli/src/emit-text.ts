// What the files of lutra emit say about themselves: what is proven, and the command that makes them again. Bounds are rounded so that
// they stay true; the worst input is exact, so that anybody can try it.

import { basename } from "node:path";
import { type Certificate, decode, type ErrorBound } from "lutra";
import { intervalText } from "./certificate-text.ts";
import type { EmitOptions } from "./emit-options.ts";

/** Of a bound. */
const DIGITS = 6;
/** Longest row that is written out. */
const SHORT_ROW = 8;

/** Of a kernel: the proof of its whole, or of each of its tables by hole where none is known of the whole. */
export type Proof = Certificate | Readonly<Record<string, Certificate>>;

export function isWhole(proof: Proof): proof is Certificate {
  return "kernelHash" in proof;
}

export function aboutText(proof: Proof, options: EmitOptions): readonly string[] {
  return [...(isWhole(proof) ? proven(proof) : provenParts(proof)), `made by: ${commandText(options)}`];
}

function proven(certificate: Certificate): readonly string[] {
  const { spec, absolute, relative, shown, over } = certificate;
  const isRow = absolute.row !== undefined;
  return [
    `proven on ${intervalText(spec.domain)} (${shown}, over ${over}):`,
    bound("error", certificate, absolute),
    ...(relative.upper === Infinity && isRow
      ? []
      : [bound(`error relative to max(|f|, ${relative.floor})`, certificate, relative)]),
  ];
}

function provenParts(certificates: Readonly<Record<string, Certificate>>): readonly string[] {
  return [
    "no bound of the whole is proven; of its tables:",
    ...Object.entries(certificates).map(([hole, certificate]) =>
      bound(`${hole}, ${certificate.spec.fn}: error`, certificate, certificate.absolute),
    ),
  ];
}

function bound(name: string, certificate: Certificate, error: ErrorBound): string {
  return `  ${name} at most ${rounded(error.upper, "up")}${worst(certificate, error)}`;
}

function worst({ spec }: Certificate, { lower, at, row }: ErrorBound): string {
  if (at === null) return "";
  const attained = `, attained ${rounded(lower, "down")} at`;
  if (row === undefined) return `${attained} x = ${shortest(decode(spec.input, at))}`;
  const values = row.length > SHORT_ROW ? `a row of ${row.length} values` : `the row ${row.map(shortest).join(", ")}`;
  return `${attained} position ${at} of ${values}`;
}

/** A number that is not negative, with few digits: the next such one up or down. */
function rounded(x: number, direction: "up" | "down"): string {
  const nearest = Number(x.toPrecision(DIGITS));
  if (!Number.isFinite(x) || nearest === x) return String(x);
  const isWrong = direction === "up" ? nearest < x : nearest > x;
  if (!isWrong) return String(nearest);
  const unit = 10 ** (Math.floor(Math.log10(x)) + 1 - DIGITS);
  return String(Number((nearest + (direction === "up" ? unit : -unit)).toPrecision(DIGITS)));
}

/** The fewest digits that give the number back, where it is a binary32 number as binary32. */
function shortest(x: number): string {
  if (Math.fround(x) !== x) return String(x);
  for (let digits = 1; digits < 9; digits++) {
    const text = x.toPrecision(digits);
    if (Math.fround(Number(text)) === x) return String(Number(text));
  }
  return String(Number(x.toPrecision(9)));
}

/** The command line that makes the files again, in the tables' folder. */
function commandText(options: EmitOptions): string {
  const { files, target, layer, maxRow, epsilon, gamma, beta, name, form } = options;
  const given = (option: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [option, quoted(String(value))];
  return [
    "lutra emit",
    ...files.map((file) => quoted(basename(file))),
    ...given("--layer", layer),
    ...given("--in", options.in),
    ...given("--max-row", maxRow),
    ...given("--epsilon", epsilon),
    ...(gamma === true ? ["--gamma"] : []),
    ...(beta === true ? ["--beta"] : []),
    ...given("--name", name),
    ...given("--target", target),
    ...given("--form", form?.join(",")),
  ].join(" ");
}

function quoted(text: string): string {
  return /^[\w.,:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
