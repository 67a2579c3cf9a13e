// The types of a loader: NAME.d.ts.

import type { ArrayPort, Call } from "./ports.ts";

export function typesText(call: Call): string {
  const { params, result, isOverRows, maxColumns } = call;
  const typed = ({ name, type, over }: ArrayPort): string => `${name}: ${over === "one" ? "number" : type}`;
  const sizes = isOverRows ? ["columns: number"] : [];
  const given = [...params.map(typed), ...sizes, `y?: ${result.type}`];
  const arrays = [...params.filter(({ over }) => over !== "one"), result].map(typed);
  const rows = maxColumns === null ? "" : ` Rows have at most ${maxColumns} numbers: \`columns\`.`;
  return `export interface Kernel {
  /**
   * Computes y, which is made if absent. It may be an input whose numbers have its size, else they must not overlap.${rows} Arrays from
   * elsewhere are copied through the kernel's memory in parts; those that \`buffers\` gave are worked on where they are.
   * @throws TypeError, RangeError for arrays of another type, detached or too short
   */
  (${given.join(", ")}): ${result.type};
  /** Arrays in the kernel's own memory. They detach when a later call makes it grow: call this once. */
  buffers(${isOverRows ? "rows: number, columns: number" : "n: number"}): { ${arrays.join("; ")} };
}

/** Loads the kernel: from the file beside the loader, or from what is given instead. */
export function load(source?: ArrayBuffer | ArrayBufferView | WebAssembly.Module): Promise<Kernel>;
`;
}
