// Markup as strings: elements, attributes, escaping, path data. Everything drawn passes through here, so that no text of a user
// (an expression, a node name) can end up as markup.

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text safe inside elements and double-quoted attributes. */
export function escapeMarkup(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** An element whose children are markup already. Attributes that are undefined are left out; numbers get at most two decimals. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? pixels(value) : escapeMarkup(String(value))}"`)
    .join("");
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`;
}

/** A text element: `text` is escaped. */
export function label(attributes: Attributes, text: string): string {
  return element("text", attributes, escapeMarkup(text));
}

/** At most two decimals, no trailing zeros, no -0: the same text in every engine. */
export function pixels(x: number): string {
  const rounded = Math.round(x * 100) / 100;
  return String(rounded === 0 ? 0 : rounded);
}

export type Point = readonly [x: number, y: number];

/** Path data of a line through the points; a point that is not finite interrupts it. */
export function linePath(points: readonly Point[]): string {
  let pen = "M";
  const parts: string[] = [];
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    parts.push(`${pen}${tenths(x)} ${tenths(y)}`);
    pen = "L";
  }
  return parts.join("");
}

/** One decimal is a tenth of a pixel: finer than a screen shows, and half the size. */
function tenths(x: number): string {
  const rounded = Math.round(x * 10) / 10;
  return String(rounded === 0 ? 0 : rounded);
}
