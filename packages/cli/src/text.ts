// Text for people: aligned tables, numbers with three significant digits, bold only on a terminal. Pure, but for styleFor.

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
}

const PLAIN: Style = { bold: (text) => text, dim: (text) => text };

/** Bold and dim on a terminal unless NO_COLOR is set, else plain text. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  if (stream.isTTY !== true || process.env.NO_COLOR !== undefined) return PLAIN;
  return { bold: (text) => `\x1b[1m${text}\x1b[22m`, dim: (text) => `\x1b[2m${text}\x1b[22m` };
}

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

export function left(title: string): Column {
  return { title, align: "left" };
}

export function right(title: string): Column {
  return { title, align: "right" };
}

/** Columns separated by two spaces, each as wide as its widest cell; the title line is bold. */
export function alignedTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => (row[c] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, c) => pad(cells[c] ?? "", widths[c] as number, align))
      .join("  ")
      .trimEnd();
  return [style.bold(line(columns.map(({ title }) => title))), ...rows.map(line)].join("\n");
}

function pad(text: string, width: number, align: Column["align"]): string {
  return align === "left" ? text.padEnd(width) : text.padStart(width);
}

/** "name  value" lines, the values in one column. */
export function facts(pairs: readonly (readonly [name: string, value: string])[], style: Style): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`).join("\n");
}

/** Three significant digits: 0.0123, 12.3, 1230, 1.23e-7. Integers below a million stay whole. */
export function significant(x: number, digits = 3): string {
  if (!Number.isFinite(x)) return x > 0 ? "inf" : x < 0 ? "-inf" : "nan";
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x);
  const magnitude = Math.abs(x);
  if (magnitude < 1e-4 || magnitude >= 1e6) return x.toExponential(digits - 1);
  return magnitude >= 10 ** digits ? String(Math.round(x)) : x.toPrecision(digits);
}

/** A share 0..1 as percent with two decimals: 93.27 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** 1 site, 2 sites. */
export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function seconds(duration: number): string {
  return duration < 10 ? `${duration.toFixed(2)} s` : `${duration.toFixed(1)} s`;
}
