// How the generated tables spell numbers.

const DIGITS = 3;

/** Three significant digits. */
export function significant(value) {
  return Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(DIGITS - 1) : value.toPrecision(DIGITS);
}

/** The next number of three significant digits that is not below the value: a proven bound must not be rounded down. */
export function roundedUp(value) {
  const nearest = Number(value.toPrecision(DIGITS));
  if (nearest >= value) return nearest;
  const unit = 10 ** (Math.floor(Math.log10(value)) + 1 - DIGITS);
  return Number((nearest + unit).toPrecision(DIGITS));
}

export function times(ratio) {
  return `${ratio >= 1000 ? Math.round(ratio) : significant(ratio)}x`;
}

export function percent(fraction) {
  return `${(100 * fraction).toFixed(2)} %`;
}

export function signedPercent(fraction) {
  return `${fraction < 0 ? "-" : "+"}${percent(Math.abs(fraction))}`;
}

export function distinct(values) {
  return [...new Set(values)];
}

/** Figures with their limits, as a whole table. */
export function goalsTable(figures) {
  return {
    columns: ["goal", "limit", "measured", ""],
    align: "lrrl",
    body: figures.map(({ what, limit, unit, measured, isLeast, met }) => {
      const shown = (value) => (value === null ? "" : withUnit(value, unit));
      return [what, `${isLeast ? "at least" : "at most"} ${shown(limit)}`, shown(measured), met ? "hit" : "missed"];
    }),
  };
}

/** A share has the unit "%". */
function withUnit(value, unit) {
  if (unit === "%") return percent(value);
  return `${significant(value)}${unit === "x" ? "x" : unit && ` ${unit}`}`;
}

/** The metric that says most: perplexity of a language model, else accuracy, of whole sequences where they count. None without labels. */
export function quality({ accuracy, perplexity, "sequence-accuracy": whole }) {
  if (perplexity !== undefined) return `perplexity ${perplexity.toFixed(4)}`;
  const share = whole ?? accuracy;
  return share === undefined ? "no labels" : percent(share);
}
