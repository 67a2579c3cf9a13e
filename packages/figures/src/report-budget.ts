// How a budget was kept: the front of all plans tried, what the chosen one saves, and why it is not smaller.

import type { Budget, CompiledAllocation, FrontPoint } from "lutra";
import { best, frontFigure } from "./front-figure.ts";
import { type Cell, collapsible, htmlTable, numeric, paragraph, section, text } from "./html.ts";
import { bytes, grouped, percent, plural } from "./numbers.ts";
import { shortNumber } from "./scale.ts";
import { escapeMarkup } from "./svg.ts";

/** What the figure shows: the quantity that has a limit, the drop first. */
interface Cost {
  readonly name: string;
  readonly of: (point: FrontPoint) => number;
  readonly limit: number | null;
}

export function budgetSection(allocation: CompiledAllocation): string {
  const { front, chosen, uniform, segments, chosenOn, why } = allocation;
  const cost = costOf(allocation);
  const lead = `The tables take ${bytes(chosen.bytes)}, ${percent(chosen.bytes / uniform.bytes)} of the ${bytes(uniform.bytes)} that ${segments} segments everywhere would. Asked for: ${limitsText(allocation)}.`;
  const note = `${plural(front.length, "plan")} tried on ${chosenOn}. Why not smaller: ${why}.`;
  const figure = frontFigure({
    id: "front",
    name: cost.name,
    front,
    chosen,
    uniform,
    uniformName: `${segments} everywhere`,
    cost: cost.of,
    limit: cost.limit,
  });
  const table = htmlTable(
    ["bytes", "segments", "drop", "answers changed", "inside the budget"],
    best(front, cost.of).map((point) => frontRow(point, allocation)),
  );
  return section(
    "What the budget bought",
    paragraph(undefined, escapeMarkup(lead)),
    figure,
    paragraph("note", escapeMarkup(note)),
    collapsible("The plans that no smaller one beats", table),
  );
}

function costOf({ budget, metric }: CompiledAllocation): Cost {
  const { maxDrop, maxFlips } = budget;
  if (maxDrop === undefined && maxFlips !== undefined) {
    return { name: "answers changed, %", of: ({ trial }) => trial.flips * 100, limit: maxFlips * 100 };
  }
  const name = isShare(metric) ? `${metric} lost, points` : `rise of ${metric}, %`;
  return { name, of: ({ trial }) => trial.drop * 100, limit: maxDrop === undefined ? null : maxDrop * 100 };
}

function isShare(metric: string): boolean {
  return metric === "accuracy" || metric === "sequence-accuracy";
}

function limitsText({ budget, metric }: CompiledAllocation): string {
  const { maxDrop, maxFlips, maxBytes }: Budget = budget;
  const drop = (most: string): string =>
    isShare(metric) ? `at most ${most} points of ${metric} lost` : `${metric} at most ${most} % higher`;
  const limits = [
    ...(maxDrop === undefined ? [] : [drop(shortNumber(maxDrop * 100))]),
    ...(maxFlips === undefined ? [] : [`at most ${shortNumber(maxFlips * 100)} % of the answers changed`]),
    ...(maxBytes === undefined ? [] : [`at most ${bytes(maxBytes)}`]),
  ];
  return limits.join(", ");
}

function frontRow({ bytes: size, segments, trial, isInside }: FrontPoint, { metric }: CompiledAllocation): Cell[] {
  const sizes = Object.entries(segments).map(([name, count]) => `${name} ${count}`);
  const drop = `${shortNumber(trial.drop * 100)} ${isShare(metric) ? "points" : "%"}`;
  return [
    numeric(grouped(size)),
    text(sizes.join(", ")),
    numeric(drop),
    numeric(percent(trial.flips)),
    text(isInside ? "yes" : "no"),
  ];
}
