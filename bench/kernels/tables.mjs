// The tables of speed in README.md and COMPARE.md, from the results of the races: nanoseconds per value, and what others take over Lutra's
// time. Where another that computes the same is faster, the ratio is below 1 and bold.
import { distinct, goalsTable, significant, times } from "../cells.mjs";
import { FINE_FUNCTIONS, PAPER, SEARCHED } from "./questions.mjs";

const JUDGED = "kernels-node-24";
const RUNTIMES = [JUDGED, "kernels-node-20", "kernels-chromium"];
const SMALL = "65536";
const LARGE = "5000192";
const COARSE = "lutra, within 1e-4";
const FINE = "lutra, within 1e-6";
/** Table 12 of the paper: the speed of a binary search over that of algorithm 1, which is 1.858 times a native GELU. */
const PUBLISHED = { "algorithm 1": 1.858, 16: 4.559, 64: 2.794, 256: 1.356, 1024: 0.516, 4096: 0.193 };
const HEADLINE = [
  "memory.copy",
  "v128 copy loop",
  "onnxruntime-node Gelu, kernel",
  "onnxruntime-web Gelu, call",
  "JavaScript, Math",
];

/** Those who could be used instead. */
const PEER = /^(onnxruntime|tfjs|JavaScript)/;

/** As tables.mjs has them. */
export const SPEED_TABLES = {
  speed: { bench: JUDGED, whole: (rows) => geluTable(rows, [COARSE, FINE, ...HEADLINE]) },
  "speed-gelu": {
    bench: JUDGED,
    whole: (rows) => geluTable(rows, distinct(in_(rows, "gelu").map(({ contestant }) => contestant))),
  },
  "speed-functions": { bench: JUDGED, whole: functionsTable },
  "speed-codes": { bench: JUDGED, whole: codesTable },
  "speed-softmax": { bench: JUDGED, whole: softmaxTable },
  "speed-calls": { bench: JUDGED, whole: (rows, [{ sizes }]) => callsTable(rows, sizes) },
  "speed-segments": { bench: JUDGED, whole: segmentsTable },
  "speed-search": { bench: JUDGED, whole: searchTable },
  "speed-runtimes": { bench: RUNTIMES, whole: (_rows, results) => runtimesTable(results) },
  "speed-goals": { bench: JUDGED, whole: (_rows, [{ figures }]) => goalsTable(figures) },
};

function in_(rows, race, dims) {
  return rows.filter((row) => row.race === race && (dims === undefined || row.dims.join("x") === dims));
}

function find(rows, race, dims, contestant) {
  return in_(rows, race, dims).find((row) => row.contestant === contestant);
}

function nanoseconds(row) {
  return row === undefined ? "" : significant(row.nanoseconds);
}

/** Of a contestant's time over a reference; nothing where there is none. */
function over(row, reference) {
  const ratio = row?.over[reference];
  if (ratio === undefined) return "";
  return ratio < 1 && PEER.test(row.contestant) ? `**${times(ratio)}**` : times(ratio);
}

function geluTable(rows, contestants) {
  const cells = (contestant) =>
    [SMALL, LARGE].flatMap((values) => {
      const row = find(rows, "gelu", values, contestant);
      return [nanoseconds(row), over(row, COARSE)];
    });
  return {
    columns: [
      "GELU of binary32, one thread",
      "65,536 values, ns each",
      "over the first",
      "5 million, ns each",
      "over the first",
    ],
    align: "lrrrr",
    body: contestants.map((contestant) => [contestant, ...cells(contestant)]),
  };
}

/** Functions down, others across. */
function functionsTable(rows) {
  const others = [
    ["onnxruntime-web, call", /^onnxruntime-web .*call$/],
    ["onnxruntime-web, kernel", /^onnxruntime-web .*kernel$/],
    ["onnxruntime-node, call", /^onnxruntime-node .*call$/],
    ["onnxruntime-node, kernel", /^onnxruntime-node .*kernel$/],
    ["tfjs-wasm", /^tfjs/],
    ["JavaScript", /^JavaScript/],
  ];
  const line = (fn) => {
    const race = in_(rows, `${fn} within 1e-6`, SMALL);
    const own = race.find(({ contestant }) => contestant === FINE);
    const cells = others.map(([, pattern]) =>
      over(
        race.find(({ contestant }) => pattern.test(contestant)),
        FINE,
      ),
    );
    return [fn, nanoseconds(own), over(own, "lutra, GELU within 1e-4"), ...cells];
  };
  return {
    columns: [
      "within 1e-6, 65,536 values",
      "lutra, ns each",
      "over GELU within 1e-4",
      ...others.map(([title]) => title),
    ],
    align: `lrr${"r".repeat(others.length)}`,
    body: FINE_FUNCTIONS.map(line),
  };
}

/** Codes to codes, and LayerNorm. */
function codesTable(rows) {
  const line = (row, title, exact) => [
    title,
    row.contestant,
    nanoseconds(row),
    over(row, exact),
    over(row, "lutra, within 1 LSB"),
  ];
  return {
    columns: ["layer", "contestant", "ns per value", "over Lutra's", "over Lutra's within 1 LSB"],
    align: "llrrr",
    body: [
      ...in_(rows, "int8 sigmoid").map((row) => line(row, "Sigmoid, int8 to int8", "lutra, exact")),
      ...in_(rows, "layer norm").map((row) => line(row, `LayerNorm, ${row.dims.join(" x ")}`, "lutra, f32")),
    ],
  };
}

/** Contestants down, shapes across. */
function softmaxTable(rows) {
  const all = in_(rows, "softmax");
  const shapes = distinct(all.map(({ dims }) => dims.join("x")));
  const cells = (contestant) =>
    shapes.flatMap((shape) => {
      const row = find(rows, "softmax", shape, contestant);
      return [nanoseconds(row), over(row, "lutra, int8"), over(row, "lutra, f32")];
    });
  return {
    columns: ["Softmax", ...shapes.flatMap((shape) => [`${shape}, ns per value`, "over int8", "over f32"])],
    align: `l${"rrr".repeat(shapes.length)}`,
    body: distinct(all.map(({ contestant }) => contestant)).map((contestant) => [contestant, ...cells(contestant)]),
  };
}

function callsTable(rows, sizes) {
  const calls = in_(rows, "one call").map((row) => [
    "one call on 64 values",
    row.contestant,
    `${significant((row.nanoseconds * row.dims[0]) / 1000)} us`,
    over(row, "lutra, arrays in its memory"),
  ]);
  const threads = in_(rows, "threads").map((row) => [
    "5 million values",
    row.contestant,
    `${significant(row.nanoseconds)} ns each`,
    over(row, "lutra, 4 threads"),
  ]);
  const files = Object.entries(sizes).map(([kernel, bytes]) => [
    "module and loader, gzip",
    kernel,
    `${bytes} bytes`,
    "",
  ]);
  return {
    columns: ["GELU within 1e-4", "contestant", "time or size", "over Lutra's"],
    align: "llrr",
    body: [...calls, ...threads, ...files],
  };
}

/** Table 3 of the paper: functions and forms down, segments across. */
function segmentsTable(rows) {
  const [few] = PAPER.segments;
  const lines = Object.keys(PAPER.ranges).flatMap((fn) =>
    ["scalar", "simd"].map((form) => {
      const cells = PAPER.segments.map((segments) => {
        const row = find(rows, `${fn}, segments`, SMALL, `${segments} segments, ${form}`);
        return segments === few ? `${nanoseconds(row)} ns` : over(row, `${few} segments, ${form}`);
      });
      const loop = find(rows, `${fn}, segments`, SMALL, "JavaScript, Math");
      return [fn, form, ...cells, over(loop, `${few} segments, ${form}`)];
    }),
  );
  const columns = PAPER.segments.map((segments) => `${segments} segments`);
  return { columns: ["uniform table of", "form", ...columns, "JavaScript"], align: "llrrrrr", body: lines };
}

/** Table 12 of the paper. */
function searchTable(rows) {
  const reference = "algorithm 1, 4096 segments";
  const first = find(rows, "binary search", SMALL, reference);
  const lines = SEARCHED.map((segments) => {
    const row = find(rows, "binary search", SMALL, `binary search, ${segments} segments`);
    const published = PUBLISHED["algorithm 1"] / PUBLISHED[segments];
    return [`binary search among ${segments}`, nanoseconds(row), over(row, reference), times(published)];
  });
  return {
    columns: ["one value at a time, 65,536 values", "ns each", "over algorithm 1", "in the paper, on a V100"],
    align: "lrrr",
    body: [[reference, nanoseconds(first), "", ""], ...lines],
  };
}

/** Lutra's own kernels, races down, runtimes across: of the functions within 1e-6 themselves, at 65,536 values. */
function runtimesTable(results) {
  const isShown = ({ race, dims, contestant }) =>
    contestant.startsWith("lutra, ") &&
    (!race.endsWith("within 1e-6") || (contestant === FINE && dims.join("x") === SMALL && !race.startsWith("gelu")));
  const own = results[0].rows
    .filter(isShown)
    .map(({ race, dims, contestant }) => JSON.stringify([race, dims.join("x"), contestant]));
  const lines = own.map((key) => {
    const [race, dims, contestant] = JSON.parse(key);
    const cells = results.map(({ rows }) => {
      const row = find(rows, race, dims, contestant);
      return row === undefined ? "" : `${nanoseconds(row)}${row.form === undefined ? "" : ` (${row.form})`}`;
    });
    return [`${race}, ${dims}`, contestant.replace("lutra, ", ""), ...cells];
  });
  const columns = results.map(({ runtime }) => runtime.replace(/(\d+)\..*/, "$1"));
  return { columns: ["ns per value", "kernel", ...columns], align: `ll${"r".repeat(columns.length)}`, body: lines };
}
