// The tables of the TensorFlow.js drop-in in README.md and COMPARE.md: its bounds, and how many times as long TensorFlow.js itself takes. Where
// it is faster, the ratio is below 1 and bold.
import { distinct, significant, times } from "./cells.mjs";

const [SMALL, LARGE] = [65_536, 5_000_192];
const SPEED = [
  "wasm, 65,536 values: TensorFlow.js, ns each",
  "lutra/tfjs, ns each",
  "ratio",
  "5 million values",
  "cpu, 65,536 values",
];

/** As tables.mjs has them. */
export const TFJS_TABLES = {
  tfjs: {
    bench: "tfjs",
    whole: (rows, [{ bounds }]) => ({
      columns: ["operation", "error at most", ...SPEED],
      align: "llrrrrr",
      body: Object.entries(bounds).map(([operation, bound]) => [
        operation,
        boundText(bound),
        ...speedOf(rows, operation),
      ]),
    }),
  },
  "tfjs-gradients": {
    bench: "tfjs",
    whole: (rows, [{ bounds }]) => ({
      columns: ["operation", ...SPEED],
      align: "lrrrrr",
      body: distinct(rows.map(({ operation }) => operation))
        .filter((operation) => bounds[operation] === undefined)
        .map((operation) => [operation, ...speedOf(rows, operation)]),
    }),
  },
};

function boundText({ upper, at, measure, floor, over }) {
  const kind = floor === undefined ? measure : `of the larger of the answer and ${floor}`;
  const worst = at === null ? "" : `; worst near ${significant(at)}`;
  return `${upper.toExponential()} ${kind}, ${over}${worst}`;
}

function speedOf(rows, operation) {
  const of = (backend, values) =>
    rows.find((row) => row.operation === operation && row.backend === backend && row.values === values);
  const [small, large, cpu] = [of("wasm", SMALL), of("wasm", LARGE), of("cpu", SMALL)];
  return [
    significant(small.ownNs),
    significant(small.lutraNs),
    ...[small, large, cpu].map(({ ratio }) => ratioText(ratio)),
  ];
}

function ratioText(ratio) {
  return ratio < 1 ? `**${times(ratio)}**` : times(ratio);
}
