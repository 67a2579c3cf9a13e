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
  if (isRowFunction(kernel.spec.fn)) {
    verify(kernel);
    return yield* certifyRows(kernel, relativeFloorOf(options), options.rows ?? {});
  }
  return yield* certifyAgainst(kernel, parseFn(kernel.spec.fn), options);
}

export interface CheckOptions {
  /** Whether the hash decides (fast). Without it the certificate is made again and compared, whatever the hash says. */
  readonly checkHash?: boolean;
  readonly options?: CertifyOptions;
}

/**
 * Checks that a certificate is about this kernel.
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
    "over",
    "spec",
    "properties",
  ] as const) {
    if (hash(found[field]) !== hash(claimed[field])) throw different(field);
  }
}
