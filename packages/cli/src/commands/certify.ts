// lutra certify: a fresh certificate of a table file. What certificate the file brought along does not matter to the result.

import { type Certificate, type Control, certify as certifyKernel, drive, elementwise, fill, type Table } from "lutra";
import { certificateFacts } from "../certificate-text.ts";
import type { Command, CommonOptions } from "../command.ts";
import { readTableFile } from "../table-file.ts";

export interface CertifyOptions extends CommonOptions {
  readonly file: string;
}

export const certify: Command<CertifyOptions, Certificate> = {
  async run({ file }, context) {
    const { table, certifiedHash } = await readTableFile(file);
    const certificate = await certifyTable(table, context);
    if (certifiedHash !== null && certifiedHash !== certificate.kernelHash) {
      context.warn(`the certificate in "${file}" is about another table; this one is new`);
    }
    return certificate;
  },
  print: (certificate, style) => certificateFacts(certificate, style),
};

/** The certificate of one table standing alone: an elementwise layer. */
export async function certifyTable(table: Table, control: Control): Promise<Certificate> {
  return await drive(certifyKernel(fill(elementwise(table.spec), { f: table })), control);
}
