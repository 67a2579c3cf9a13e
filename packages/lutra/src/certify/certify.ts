// The two entry points: certify(kernel) chooses how to show the error, checkCertificate compares a certificate with a kernel.

import { hash, LutraError, type Work } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import { type Kernel, verify } from "../kernel/index.ts";
import { certifyRows, isRowFunction } from "./compose.ts";
import { type CertifyOptions, certifyAgainst, relativeFloorOf } from "./elementwise.ts";
import type { Certificate } from "./types.ts";

/**
 * What is proven about a filled kernel, against the function its spec names:
 * enumerated if its input format has up to 65,536 codes, an interval proof if it is one binary32 lookup, composed if it is a layer of rows.
 * @throws LutraError "infeasible" if the error is not finite somewhere in the domain, "mismatch" if a hole is empty, "unsupported" for
 * kernels of other shapes
 */
export function* certify(kernel: Kernel, options: CertifyOptions = {}): Work<Certificate> {
  refuseScales(kernel);
  const certificate = isRowFunction(kernel.spec.fn)
    ? yield* certifyRowLayer(kernel, options)
    : yield* certifyAgainst(kernel, parseFn(kernel.spec.fn), options);
  for (const bound of [certificate.absolute, certificate.relative, certificate.ulp]) {
    if (!(bound.lower <= bound.upper)) {
      throw new Error(
        `a proof is contradicted: ${bound.lower} was measured at ${bound.at}, at most ${bound.upper} proven`,
      );
    }
  }
  return certificate;
}

function* certifyRowLayer(kernel: Kernel, options: CertifyOptions): Work<Certificate> {
  verify(kernel);
  return yield* certifyRows(kernel, relativeFloorOf(options), options.rows ?? {});
}

/** @throws LutraError "unsupported": one certificate is about one scale */
function refuseScales(kernel: Kernel): void {
  const shared = kernel.values.some((value) => value.op === "lookup" && value.table?.scales !== undefined);
  if (!shared) return;
  throw new LutraError("unsupported", "a table shared between scales is certified one scale at a time", {
    note: "certify atScale(table, i) for each scale",
  });
}

export interface CheckOptions {
  /** Whether the hash decides (fast). Without it the certificate is made again and compared, whatever the hash says. */
  readonly checkHash?: boolean;
  readonly options?: CertifyOptions;
}

/**
 * Checks that a certificate is about this kernel. The hash tells kernels apart, it does not seal the certificate's numbers: against
 * numbers that may have been edited, leave the hash check off.
 * @throws LutraError "mismatch" naming the first difference: the hash, or, with the hash check off, what a new proof finds otherwise;
 * "infeasible" if the kernel cannot be certified at all
 */
export function* checkCertificate(
  certificate: Certificate,
  kernel: Kernel,
  { checkHash = true, options }: CheckOptions = {},
): Work<void> {
  if (checkHash) {
    const found = hash(kernel);
    if (found === certificate.kernelHash) return;
    throw new LutraError("mismatch", `the certificate is about kernel ${certificate.kernelHash}, this is ${found}`, {
      note: "certify the kernel again",
    });
  }
  compare(certificate, yield* certify(kernel, { relativeFloor: certificate.relative.floor, ...options }));
}

/** @throws LutraError "mismatch" */
function compare(claimed: Certificate, found: Certificate): void {
  const different = (what: string): LutraError =>
    new LutraError("mismatch", `the certificate does not describe this kernel: ${what} differs`, { where: what });
  for (const [i, segment] of found.segments.entries()) {
    if (hash(segment) !== hash(claimed.segments[i] ?? null)) {
      throw different(`the error summary of segment ${segment.segment} of "${segment.hole}"`);
    }
  }
  for (const field of [
    "segments",
    "dead",
    "absolute",
    "relative",
    "ulp",
    "mse",
    "offBy",
    "undecided",
    "shown",
    "holes",
    "over",
    "spec",
    "properties",
  ] as const) {
    if (hash(found[field] ?? null) !== hash(claimed[field] ?? null)) throw different(field);
  }
}
