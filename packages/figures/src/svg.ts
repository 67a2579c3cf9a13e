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

interface FigureFrame {
  /** Unique on the page: prefix of the ids inside. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** What a screen reader announces, and what it reads out. */
  readonly title: string;
  readonly description: string;
}

/** An `<svg>` element of class "figure" whose children are markup already. */
export function figure({ id, width, height, title, description }: FigureFrame, ...children: readonly string[]): string {
  return element(
    "svg",
    {
      class: "figure",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-desc`,
    },
    element("title", { id: `${id}-title` }, escapeMarkup(title)),
    element("desc", { id: `${id}-desc` }, escapeMarkup(description)),
    ...children,
  );
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

/**
 * At most two points for each `width` pixels: the lowest and the highest there. A curve that oscillates faster than the pixels shows
 * as the band it fills, not as a slower wave that is not there. Points that are not finite stay.
 */
export function thinned(points: readonly Point[], width: number): readonly Point[] {
  const kept: Point[] = [];
  let start = 0;
  for (let end = 1; end <= points.length; end++) {
    if (end < points.length && bucketOf(points[end] as Point, width) === bucketOf(points[start] as Point, width))
      continue;
    kept.push(...extremes(points.slice(start, end)));
    start = end;
  }
  return kept;
}

/** NaN for a point that is not finite, so that it equals no other bucket. */
function bucketOf([x, y]: Point, width: number): number {
  return Number.isFinite(y) ? Math.floor(x / width) : Number.NaN;
}

/** The first lowest and the first highest point, in their order. */
function extremes(points: readonly Point[]): readonly Point[] {
  let [low, high] = [0, 0];
  points.forEach(([, y], i) => {
    if (y > (points[low] as Point)[1]) low = i;
    if (y < (points[high] as Point)[1]) high = i;
  });
  return [...new Set([Math.min(low, high), Math.max(low, high)])].map((i) => points[i] as Point);
}

/** One decimal is a tenth of a pixel: finer than a screen shows, and half the size. */
function tenths(x: number): string {
  const rounded = Math.round(x * 10) / 10;
  return String(rounded === 0 ? 0 : rounded);
}
