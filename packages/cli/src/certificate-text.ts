// A certificate in words and numbers, for people.

import {
  type Certificate,
  decode,
  type ErrorBound,
  type Exhaustive,
  type Format,
  type Interval,
  printFormat,
} from "lutra";
import { facts, grouped, plural, type Style, seconds, significant } from "./text.ts";

export function certificateFacts(certificate: Certificate, style: Style): string {
  const { spec, absolute, relative, ulp } = certificate;
  const pairs: [string, string][] = [
    ["function", spec.fn],
    ["formats", `${printFormat(spec.input)} to ${printFormat(spec.output)}`],
    ["domain", intervalText(spec.domain)],
    ["shown", `${SHOWN[certificate.shown]}, over ${certificate.over}`],
    ["max error", boundText(absolute, spec.input)],
    ["relative", `${boundText(relative, spec.input)}; |e| / max(|f|, ${significant(relative.floor)})`],
    ["ulp", boundText(ulp, spec.input)],
  ];
  if (certificate.mse !== null) pairs.push(["mean square", significant(certificate.mse)]);
  if (certificate.offBy !== null) pairs.push(["off by n", offByText(certificate.offBy, certificate.undecided)]);
  if (certificate.dead.length > 0) pairs.push(["dead entries", deadText(certificate)]);
  for (const property of certificate.properties) pairs.push(["property", property]);
  if (certificate.exhaustive !== undefined) pairs.push(...exhaustiveFacts(certificate.exhaustive, spec.input));
  pairs.push(["kernel hash", certificate.kernelHash]);
  return facts(pairs, style);
}

const SHOWN: Readonly<Record<Certificate["shown"], string>> = {
  enumerated: "by every input",
  interval: "by interval arithmetic",
  composed: "from its parts",
};

function exhaustiveFacts(exhaustive: Exhaustive, input: Format): [string, string][] {
  const { inputs, evaluated, unmeasured, worst, digest, threads } = exhaustive;
  const time = `${seconds(exhaustive.seconds)} on ${plural(threads, "thread")}`;
  return [
    ["every input", `the table evaluated at all ${grouped(inputs)}, in ${time}`],
    ["", `the function evaluated at ${grouped(evaluated)}, enclosed at the others`],
    ["", `${grouped(unmeasured)} have no error: infinities and NaNs`],
    ["  max error", boundText(worst.absolute, input)],
    ["  relative", boundText(worst.relative, input)],
    ["  ulp", boundText(worst.ulp, input)],
    ["  outputs", `digest ${digest}`],
  ];
}

/** "at most 0.00521, attained 0.00519 at x = -0.75" */
function boundText({ upper, lower, at }: ErrorBound, input: Format): string {
  const attained = at === null ? "" : `, attained ${significant(lower)} at x = ${significant(decode(input, at), 6)}`;
  return `at most ${significant(upper)}${attained}`;
}

export function intervalText({ lo, hi }: Interval): string {
  return `${Number.isFinite(lo) ? "[" : "("}${significant(lo, 6)}, ${significant(hi, 6)}${Number.isFinite(hi) ? "]" : ")"}`;
}

/** How many codes are 0, 1, 2, ... output codes from the correctly rounded one. */
/** Distances listed one by one; those beyond are counted together. */
const LISTED_DISTANCES = 8;

function offByText(offBy: readonly number[], undecided: number): string {
  const near = offBy.slice(0, LISTED_DISTANCES).flatMap((count, n) => (count === 0 ? [] : [`${n}: ${grouped(count)}`]));
  const far = offBy.slice(LISTED_DISTANCES).reduce((sum, count) => sum + count, 0);
  const counts = [...near, ...(far === 0 ? [] : [`${LISTED_DISTANCES} to ${offBy.length - 1}: ${grouped(far)}`])].join(
    ", ",
  );
  return undecided === 0 ? counts : `${counts}; ${grouped(undecided)} too near a tie to tell, counted at the larger`;
}

function deadText({ dead }: Certificate): string {
  const shown = dead.slice(0, 6).map(({ degree, segment, bump }) => {
    const entry = degree === "breakpoint" ? "breakpoint" : degree === 0 ? "intercept" : "slope";
    return `${entry} ${segment}${bump === "both" ? "" : ` (${bump})`}`;
  });
  return shown.join(", ") + (dead.length > 6 ? ` and ${dead.length - 6} more` : "");
}
