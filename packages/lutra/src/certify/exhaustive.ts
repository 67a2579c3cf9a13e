// Every binary32 input of a domain, one by one: the table is evaluated at each, its error compared with the worst one known, all
// outputs go into a digest. The work comes in parts that know nothing of each other, for threads and for going on after a stop:
// the same parts give the same result in any order. Uses no rounding analysis: what along.ts proves is confirmed, not assumed.
//
// The function itself is evaluated only where a line near it (near-line.ts) leaves open whether an error is the worst.

import { hash, LutraError, type Work } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { ceil32, floor32, type Interval, toBits32 } from "../num/index.ts";
import { onlyLookup } from "./elementwise.ts";
import { Sweep } from "./sweep.ts";
import type { Certificate, ErrorBound, Exhaustive, Measure } from "./types.ts";

/** Consecutive bit patterns of one sign, both ends included: inputs in order of their magnitude. */
export interface InputRange {
  readonly first: number;
  readonly last: number;
}

/** What one part of the inputs found out; plain data. */
export interface ExhaustedPart extends InputRange, Pick<Exhaustive, "evaluated" | "unmeasured" | "worst" | "digest"> {}

/** Patterns of one part: 256 parts make all 2^32. A part takes a fraction of a second. */
const PART = 2 ** 24;
const SIGN = 0x80000000;

/**
 * The parts that the inputs of a domain come in. Of a domain with ends: its binary32 values, zeros of both signs, infinities if inside.
 * Of one without: all 2^32 bit patterns.
 */
export function exhaustiveParts(domain: Interval): readonly InputRange[] {
  const everything = domain.lo === -Infinity && domain.hi === Infinity;
  const magnitudes = ({ lo, hi }: Interval): InputRange | null => {
    if (everything) return { first: 0, last: SIGN - 1 };
    const [least, most] = [ceil32(Math.max(0, lo)), floor32(hi)];
    return most >= 0 && least <= most ? { first: toBits32(least), last: toBits32(Math.abs(most)) } : null;
  };
  const positive = magnitudes(domain);
  const negative = magnitudes({ lo: -domain.hi, hi: -domain.lo });
  return [
    ...(positive === null ? [] : divide(positive)),
    ...(negative === null ? [] : divide({ first: SIGN + negative.first, last: SIGN + negative.last })),
  ];
}

function divide({ first, last }: InputRange): readonly InputRange[] {
  const parts: InputRange[] = [];
  for (let start = first; start <= last; ) {
    const end = Math.min(last, (Math.floor(start / PART) + 1) * PART - 1);
    parts.push({ first: start, last: end });
    start = end + 1;
  }
  return parts;
}

/**
 * Visits one part of the inputs. `certificate` must be the kernel's own: the search starts from the errors it attains.
 * @throws LutraError "mismatch" if it is not, "unsupported" for kernels other than one lookup of a binary32 input, "infeasible" if an
 * error is not finite
 */
export function* exhaust(kernel: Kernel, certificate: Certificate, { first, last }: InputRange): Work<ExhaustedPart> {
  checkSubject(kernel, certificate);
  const { table } = onlyLookup(kernel);
  const sweep = new Sweep(table, parseFn(kernel.spec.fn), certificate);
  const total = last - first + 1;
  for (const done of sweep.visit(first, last)) yield { stage: "visiting every input", done, total };
  return { first, last, ...sweep.found() };
}

/** @throws LutraError "mismatch", "unsupported" */
function checkSubject(kernel: Kernel, { kernelHash, shown }: Certificate): void {
  if (hash(kernel) !== kernelHash) throw new LutraError("mismatch", "the certificate is about another kernel");
  if (shown === "interval") return;
  throw new LutraError("unsupported", `only an interval proof of a binary32 table can be confirmed input by input`, {
    note: shown === "enumerated" ? "this certificate has visited every input already" : "certify its tables one by one",
  });
}

/**
 * The whole from all the parts of a certificate's domain, in any order.
 * @throws RangeError if a part is missing or there is one too many: a claim about every input needs every input; Error if an input
 * refutes the certificate, which would be a defect of ours
 */
export function combineParts(
  certificate: Certificate,
  parts: readonly ExhaustedPart[],
): Omit<Exhaustive, "seconds" | "threads"> {
  const expected = exhaustiveParts(certificate.spec.domain);
  const ordered = parts.toSorted((a, b) => a.first - b.first);
  const fits = ({ first, last }: InputRange, i: number): boolean =>
    ordered[i]?.first === first && ordered[i]?.last === last;
  if (ordered.length !== expected.length || !expected.every(fits)) {
    throw new RangeError(`${expected.length} parts make this domain; these ${ordered.length} do not`);
  }
  const sum = (count: (part: ExhaustedPart) => number): number => ordered.reduce((n, part) => n + count(part), 0);
  const worst = (measure: Measure): ErrorBound => {
    const found = ordered.map((part) => part.worst[measure]).reduce(worse, NONE);
    const { upper } = certificate[measure];
    if (found.lower <= upper) return found;
    throw new Error(`the ${measure} error at ${found.at} is ${found.lower}, the certificate says at most ${upper}`);
  };
  return {
    inputs: sum(({ first, last }) => last - first + 1),
    evaluated: sum(({ evaluated }) => evaluated),
    unmeasured: sum(({ unmeasured }) => unmeasured),
    worst: { absolute: worst("absolute"), relative: worst("relative"), ulp: worst("ulp") },
    digest: hash(ordered.map(({ digest }) => digest)),
  };
}

const NONE: ErrorBound = { upper: 0, lower: 0, at: null };

/** The first of two equal ones: the result does not depend on the order of the work. */
function worse(a: ErrorBound, b: ErrorBound): ErrorBound {
  const attained = b.lower > a.lower || a.at === null ? b : a;
  return { ...attained, upper: Math.max(a.upper, b.upper) };
}
