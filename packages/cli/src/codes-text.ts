// Layers of quantized graphs in words: the integers that go in and come out, and how near their tables are to the correctly rounded answers.

import type { Certificate, IntegerFormat, Site } from "lutra";
import { percent, plural, significant } from "./text.ts";

type Formats = NonNullable<Site["formats"]>;

/** "int8 to uint8". */
export function typesText({ input, output }: Formats): string {
  return `${typeText(input)} to ${typeText(output)}`;
}

/** "int8 0.05 (qx - 3) to uint8 0.02 (qy - 10)": type, scale and zero point of the codes. */
export function formatsText({ input, output }: Formats): string {
  return `${affineText(input, "qx")} to ${affineText(output, "qy")}`;
}

/** "correctly rounded", or how far off and how often not; null where answers are no codes. */
export function roundingText({ offBy }: Certificate): string | null {
  if (offBy === null) return null;
  const codes = offBy.reduce((sum, count) => sum + count, 0);
  if (offBy.length <= 1) return "correctly rounded";
  return `${plural(offBy.length - 1, "step")}, ${percent(offBy[0] / codes)} exact`;
}

function typeText({ signed, bits }: IntegerFormat): string {
  return `${signed ? "int" : "uint"}${bits}`;
}

function affineText(format: IntegerFormat, name: string): string {
  const { scale, zeroPoint } = format;
  const offset = zeroPoint === 0 ? name : `(${name} ${zeroPoint < 0 ? "+" : "-"} ${Math.abs(zeroPoint)})`;
  return `${typeText(format)} ${significant(scale, 4)} ${offset}`;
}
