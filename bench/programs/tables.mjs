// The tables of programs in README.md and COMPARE.md: milliseconds, what others take over Lutra's time, what accuracy and size are.
import { goalsTable, percent, quality, significant, times } from "../cells.mjs";
import { LIMIT, LUTRA, NODE, NODE_INT8, WEB, WEB_INT8 } from "./names.mjs";
import { find } from "./speed-figures.mjs";

const JUDGED = "programs-speed-node-24";
const RUNTIMES = [JUDGED, "programs-speed-node-20", "programs-speed-chromium"];
/** What stands for Lutra in a race: the first that is in it. */
const OWN = [LUTRA.relaxed, LUTRA.chosen, LUTRA.relaxedCodes];
const PLAIN = [LUTRA.simd, LUTRA.simdCodes];
const PEERS = [WEB, WEB_INT8, NODE, NODE_INT8, LIMIT];

/** As tables.mjs has them. */
export const PROGRAM_TABLES = {
  programs: {
    bench: "programs",
    columns: ["model", "float file", "program", "share", "before", "after", "answers changed", "chosen"],
    align: "lrrrrrrl",
    line({ model, variant, floatBytes, bytes, before, after, flips, choices }) {
      const sizes = [`${kilobytes(floatBytes)} kB`, `${kilobytes(bytes)} kB`, percent(bytes / floatBytes)];
      const chosen = choices.filter(isOfQuality).map(({ what, chosen: how }) => `${what}: ${how}`);
      return [titleOf(model, variant), ...sizes, quality(before), quality(after), percent(flips), chosen.join("; ")];
    },
  },
  "programs-fresh": { bench: "programs", whole: freshTable },
  "programs-speed": { bench: JUDGED, whole: speedTable },
  "programs-runtimes": { bench: RUNTIMES, whole: (_rows, results) => runtimesTable(results) },
  "programs-goals": { bench: "programs", whole: (_rows, [{ figures }]) => goalsTable(figures) },
  "programs-speed-goals": {
    bench: RUNTIMES,
    whole: (_rows, results) => goalsTable(results.flatMap(({ figures, runtime }) => figures.map(inRuntime(runtime)))),
  },
};

/** A new process: how soon it answers, and with what memory. */
function freshTable(rows) {
  const fresh = rows.filter(({ firstAnswer }) => firstAnswer !== undefined);
  const milliseconds = ({ firstAnswer }, who) => `${significant(firstAnswer[who].milliseconds)} ms`;
  return {
    columns: [
      "model",
      "first answer",
      "onnxruntime-web",
      "onnxruntime-node",
      "weights",
      "peak of buffers",
      "process grew",
    ],
    align: "lrrrrrr",
    body: fresh.map((row) => [
      titleOf(row.model, row.variant),
      ...["lutra", "onnxruntime-web", "onnxruntime-node"].map((who) => milliseconds(row, who)),
      ...[row.weightBytes, row.memory.bytes, row.memory.resident].map((bytes) => `${kilobytes(bytes)} kB`),
    ]),
  };
}

/** Races down, contestants across: milliseconds, and of others the ratio. */
function speedTable(rows) {
  return {
    columns: ["milliseconds", "Lutra", "Lutra, plain SIMD", ...PEERS],
    align: `l${"r".repeat(2 + PEERS.length)}`,
    body: [...new Set(rows.map(({ race }) => race))].map((race) => {
      const own = firstOf(rows, race, OWN);
      const others = PEERS.map((peer) => besides(find(rows, race, peer), own));
      return [race, shown(own), shown(firstOf(rows, race, PLAIN)), ...others];
    }),
  };
}

/** Lutra's own times, races down, runtimes across, with the form that ran. */
function runtimesTable(results) {
  const [{ rows: judged }] = results;
  const own = judged.filter(({ contestant }) => Object.values(LUTRA).includes(contestant));
  const lines = own.map(({ race, contestant }) => {
    const cells = results.map(({ rows }) => {
      const row = find(rows, race, contestant);
      return row === undefined ? "" : `${shown(row)} (${row.form})`;
    });
    return [race, contestant.replace(/^lutra(, )?/, ""), ...cells];
  });
  const columns = results.map(({ runtime }) => runtime.replace(/(\d+)\..*/, "$1"));
  return { columns: ["milliseconds", "form", ...columns], align: `ll${"r".repeat(columns.length)}`, body: lines };
}

/** Bounds of batches and lengths are choices too, but not ones that trials made. */
function isOfQuality({ what }) {
  return !what.startsWith("size ");
}

function inRuntime(runtime) {
  return (figure) => ({ ...figure, what: `${figure.what} (${runtime.replace(/(\d+)\..*/, "$1")})` });
}

function firstOf(rows, race, contestants) {
  return contestants.map((contestant) => find(rows, race, contestant)).find((row) => row !== undefined);
}

function besides(row, own) {
  if (row === undefined) return "";
  const ratio = row.over[own?.contestant];
  return ratio === undefined ? shown(row) : `${shown(row)}, ${times(ratio)}`;
}

function shown(row) {
  return row === undefined ? "" : significant(row.milliseconds);
}

function kilobytes(bytes) {
  return Math.round(bytes / 1000).toLocaleString("en");
}

function titleOf(model, variant) {
  const name = model.endsWith("decomposed.onnx") ? `${model.split("/")[0]} decomposed` : model.split("/")[0];
  return variant === null ? name : `${name}, ${variant}`;
}
