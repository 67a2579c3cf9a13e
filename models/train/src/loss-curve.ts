// The loss curve as an SVG: loss on a logarithmic axis and exact match of the validation set, by step.
import type { CurvePoint } from "./train.ts";

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { left: 56, right: 56, top: 28, bottom: 36 };
const COLORS = { loss: "#b4442c", exactMatch: "#2c5fb4", axis: "#777777" };

/** At least one point, losses above 0. The same points give the same text. */
export function lossCurve(points: readonly CurvePoint[]): string {
  const last = points[points.length - 1].step;
  const x = (step: number): number => MARGIN.left + (step / last) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (share: number): number => HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const decades = points.map(({ loss }) => Math.log10(loss));
  const low = Math.floor(Math.min(...decades));
  const high = Math.max(low + 1, Math.ceil(Math.max(...decades)));
  const ofDecade = (decade: number): number => y((decade - low) / (high - low));

  const line = (color: string, ys: readonly number[]): string => {
    const path = points.map(({ step }, i) => `${x(step).toFixed(1)},${ys[i].toFixed(1)}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  };
  const label = (px: number, py: number, anchor: string, color: string, text: string): string =>
    `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" text-anchor="${anchor}" fill="${color}">${text}</text>`;
  const lossTicks = Array.from({ length: high - low + 1 }, (_, i) =>
    label(MARGIN.left - 6, ofDecade(low + i) + 4, "end", COLORS.loss, `1e${low + i}`),
  );
  const shareTicks = [0, 0.25, 0.5, 0.75, 1].map((share) =>
    label(WIDTH - MARGIN.right + 6, y(share) + 4, "start", COLORS.exactMatch, `${share * 100} %`),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    "<title>Loss and exact match by step</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<path d="M${x(0)} ${y(1)}V${y(0)}H${x(last)}V${y(1)}" fill="none" stroke="${COLORS.axis}"/>`,
    ...lossTicks,
    ...shareTicks,
    label(x(0), HEIGHT - 12, "start", COLORS.axis, "step 0"),
    label(x(last), HEIGHT - 12, "end", COLORS.axis, `step ${last}`),
    label(x(0), 16, "start", COLORS.loss, "loss (cross entropy of a digit, nats)"),
    label(x(last), 16, "end", COLORS.exactMatch, "exact match on unseen texts"),
    line(COLORS.loss, decades.map(ofDecade)),
    line(
      COLORS.exactMatch,
      points.map(({ exactMatch }) => y(exactMatch)),
    ),
    "</svg>\n",
  ].join("\n");
}
