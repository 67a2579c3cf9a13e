// Long lists and comments as lines of a file.

/** Widest line of a list. */
const WIDTH = 100;

/** Items with commas, indented, as many to a line as fit. */
export function wrapped(items: readonly string[]): string {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    if (line !== "" && line.length + item.length + 4 > WIDTH) {
      lines.push(`  ${line}`);
      line = "";
    }
    line += line === "" ? `${item},` : ` ${item},`;
  }
  return [...lines, `  ${line}`].join("\n");
}

export function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

/**
 * Lines of a comment that ends with its line in C and TypeScript whatever they hold: no control characters, no backslash (which would
 * go on), no two question marks (which C may read as one).
 */
export function comment(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/[\p{C}\u2028\u2029\\]/gu, "_").replace(/\?(?=\?)/g, "? "))
    .map((line) => `// ${line}`.trimEnd())
    .join("\n");
}
