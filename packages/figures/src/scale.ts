// From values to pixels: linear and logarithmic scales with readable ticks.

export interface Scale {
  readonly kind: "linear" | "log";
  readonly lo: number;
  readonly hi: number;
  /** Pixel of a value; values outside continue the scale. */
  at(value: number): number;
  /** Value of a pixel. */
  from(pixel: number): number;
  readonly ticks: readonly Tick[];
}

interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface ScaleOptions {
  readonly lo: number;
  readonly hi: number;
  readonly start: number;
  readonly end: number;
  /** About how many ticks there is room for. */
  readonly count: number;
}

export function linearScale({ lo, hi, start, end, count }: ScaleOptions): Scale {
  const perUnit = (end - start) / (hi - lo);
  return {
    kind: "linear",
    lo,
    hi,
    at: (value) => start + (value - lo) * perUnit,
    from: (pixel) => lo + (pixel - start) / perUnit,
    ticks: linearTicks(lo, hi, count),
  };
}

/** Needs 0 < lo < hi. */
export function logScale({ lo, hi, start, end, count }: ScaleOptions): Scale {
  const first = Math.log10(lo);
  const perDecade = (end - start) / (Math.log10(hi) - first);
  return {
    kind: "log",
    lo,
    hi,
    at: (value) => start + (Math.log10(value) - first) * perDecade,
    from: (pixel) => 10 ** (first + (pixel - start) / perDecade),
    ticks: logTicks(lo, hi, count),
  };
}

/** Steps of 1, 2 or 5 times a power of ten: the narrowest that gives at most about `count` ticks, or narrower to give three. */
function linearTicks(lo: number, hi: number, count: number): readonly Tick[] {
  const rough = (hi - lo) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [0.2, 0.5, 1, 2, 5, 10].map((factor) => factor * power);
  const widest = steps.findIndex((step) => step >= rough * 0.999);
  for (let i = widest; i > 0; i--) {
    const ticks = ticksEvery(steps[i] as number, lo, hi);
    if (ticks.length >= 3) return ticks;
  }
  return ticksEvery(steps[0] as number, lo, hi);
}

function ticksEvery(step: number, lo: number, hi: number): readonly Tick[] {
  const ticks: Tick[] = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + step * 1e-9; i++) {
    ticks.push({ value: i * step, text: tickText(i * step, step) });
  }
  return ticks;
}

/** Powers of ten; 2 and 5 times them where there is room. */
function logTicks(lo: number, hi: number, count: number): readonly Tick[] {
  const first = Math.floor(Math.log10(lo));
  const last = Math.ceil(Math.log10(hi));
  const decades = last - first;
  const factors = decades * 3 <= count ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / count));
  const ticks: Tick[] = [];
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) {
    for (const factor of factors) {
      const value = Number(`${factor}e${exponent}`);
      if (value >= lo * 0.999 && value <= hi * 1.001) ticks.push({ value, text: shortNumber(value) });
    }
  }
  return ticks;
}

/** As many decimals as the step needs; powers of ten where decimals would be long. */
function tickText(value: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (decimals > 4 || step >= 1e5) return Math.abs(value) < step / 2 ? "0" : shortNumber(value);
  return withMinus(value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, "$1"));
}

/** Two or three significant digits: 0.05, 200, 5e-6. */
export function shortNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : value < 0 ? "\u2212\u221e" : "undefined";
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e5)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
    return withMinus(`${stripZeros(mantissa)}e${exponent.replace("+", "")}`);
  }
  return withMinus(stripZeros(magnitude >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits)));
}

function stripZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A minus sign as wide as the digits. */
function withMinus(text: string): string {
  return text.replace(/-/g, "\u2212");
}
