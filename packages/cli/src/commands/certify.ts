// lutra certify: a fresh certificate of a table file. What certificate the file brought along does not matter to the result.

import {
  type Certificate,
  type Control,
  certify as certifyKernel,
  drive,
  elementwise,
  fill,
  type Kernel,
  type Table,
} from "lutra";
import { certificateFacts } from "../certificate-text.ts";
import type { Command, CommonOptions } from "../command.ts";
import { visitEveryInput } from "../exhaustive.ts";
import { readTableFile } from "../table-file.ts";

export interface CertifyOptions extends CommonOptions {
  readonly file: string;
  /** Visit every binary32 input besides. */
  readonly exhaustive?: boolean;
  readonly threads?: number;
  /** Where to keep what is done; beside the table if absent. */
  readonly resume?: string;
}

export const certify: Command<CertifyOptions, Certificate> = {
  async run({ file, exhaustive, threads, resume }, context) {
    const { table, certifiedHash } = await readTableFile(file);
    const certificate = await certifyTable(table, context);
    if (certifiedHash !== null && certifiedHash !== certificate.kernelHash) {
      context.warn(`the certificate in "${file}" is about another table; this one is new`);
    }
    if (exhaustive !== true) return certificate;
    const subject = { kernel: kernelOf(table), certificate };
    const options = { threads, resume: resume ?? `${file}.progress` };
    return { ...certificate, exhaustive: await visitEveryInput(subject, options, context) };
  },
  print: (certificate, style) => certificateFacts(certificate, style),
};

/** The certificate of one table standing alone: an elementwise layer. */
export async function certifyTable(table: Table, control: Control): Promise<Certificate> {
  return await drive(certifyKernel(kernelOf(table)), control);
}

function kernelOf(table: Table): Kernel {
  return fill(elementwise(table.spec), { f: table });
}
