// The goals for speed on one thread and on four, read off the rows of all races: each is a median of ratios of one round. A row that a
// runtime does not have leaves its figure unmeasured, which misses.
import { atLeast, atMost } from "../lutra.mjs";
import { OPERATORS } from "./entrants.mjs";
import { FINE_FUNCTIONS, PAPER, SEARCHED } from "./questions.mjs";

const SMALL = "65536";
const LARGE = "5000192";
const COARSE = "lutra, within 1e-4";
const FINE = "lutra, within 1e-6";
/** What a median of 15 rounds may be off by where nothing differs. */
const EQUAL = 1.1;
/** The paper's own binary search wins below. */
const FEWEST_SEARCHED = 64;

/** @param rows of one runtime @param sizes gzipped bytes of kernels with their loaders */
export function figuresOf(rows, sizes) {
  const over = (race, dims, contestant, reference) =>
    rows.find((row) => row.race === race && row.dims.join("x") === dims && row.contestant === contestant)?.over[
      reference
    ] ?? null;
  return [
    ...geluFigures(over),
    ...[SMALL, LARGE].flatMap((values) => fineFigures(over, values)),
    ...rowFigures(over),
    ...callFigures(rows, sizes),
    ...threadFigures(over),
    ...paperFigures(over),
  ];
}

function geluFigures(over) {
  const lutraOver = (values, contestant) => inverse(over("gelu", values, contestant, COARSE));
  const times = (values, contestant) => over("gelu", values, contestant, COARSE);
  return [
    atMost("GELU within 1e-4, 5M values: time over the faster copy's", lutraOver(LARGE, "the faster copy"), 1.3),
    atLeast(
      "GELU within 1e-4, 5M values: onnxruntime-web's whole call",
      times(LARGE, "onnxruntime-web Gelu, call"),
      20,
      "x",
    ),
    atLeast(
      "GELU within 1e-4, 65,536 values: onnxruntime-node's kernel",
      times(SMALL, "onnxruntime-node Gelu, kernel"),
      2,
      "x",
    ),
    atLeast(
      "GELU within 1e-4, 5M values: onnxruntime-node's kernel",
      times(LARGE, "onnxruntime-node Gelu, kernel"),
      1.8,
      "x",
    ),
  ];
}

/** The worst of the six functions counts. */
function fineFigures(over, values) {
  const race = (fn) => `${fn} within 1e-6`;
  const times = FINE_FUNCTIONS.map((fn) => [fn, over(race(fn), values, FINE, "lutra, GELU within 1e-4")]);
  const web = FINE_FUNCTIONS.map((fn) => {
    const contestant = `onnxruntime-web ${OPERATORS[fn]}, call`;
    return [fn, over(race(fn), values, contestant, FINE)];
  });
  const [slowest, time] = extreme(times, Math.max);
  const [nearest, gain] = extreme(web, Math.min);
  const count = Number(values).toLocaleString("en");
  return [
    atMost(`a function within 1e-6, ${count} values: time over GELU's within 1e-4 (most: ${slowest})`, time, 1.25),
    atLeast(`a function within 1e-6, ${count} values: onnxruntime-web's whole call (least: ${nearest})`, gain, 6, "x"),
  ];
}

function rowFigures(over) {
  const codes = "onnxruntime-node QLinearSigmoid, kernel";
  const softmax = (shape, contestant, reference) => over("softmax", shape, contestant, reference);
  const quantized = (shape) => softmax(shape, "onnxruntime-node QLinearSoftmax, kernel", "lutra, int8");
  const [, least] = extreme(
    ["512x128", "128x512", "64x1024"].map((shape) => [
      shape,
      softmax(shape, "onnxruntime-web Softmax, kernel", "lutra, f32"),
    ]),
    Math.min,
  );
  return [
    atLeast(
      "int8 within 1 LSB: onnxruntime-node's QLinearSigmoid",
      over("int8 sigmoid", SMALL, codes, "lutra, within 1 LSB"),
      3.1,
      "x",
    ),
    atLeast(
      "int8 exact: onnxruntime-node's QLinearSigmoid",
      over("int8 sigmoid", SMALL, codes, "lutra, exact"),
      1.8,
      "x",
    ),
    atLeast(
      "int8 Softmax 512x128: onnxruntime-node's f32 kernel",
      softmax("512x128", "onnxruntime-node Softmax, kernel", "lutra, int8"),
      1,
      "x",
    ),
    atLeast("int8 Softmax 512x128: its QLinearSoftmax", quantized("512x128"), 12, "x"),
    atLeast("int8 Softmax 128x512: its QLinearSoftmax", quantized("128x512"), 15, "x"),
    atLeast("int8 Softmax 64x1024: its QLinearSoftmax", quantized("64x1024"), 15, "x"),
    atLeast("f32 Softmax, worst shape: onnxruntime-web's kernel", least, 4, "x"),
    atLeast(
      "f32 LayerNorm 85x768: onnxruntime-web's kernel",
      over("layer norm", "85x768", "onnxruntime-web LayerNormalization, kernel", "lutra, f32"),
      20,
      "x",
    ),
  ];
}

function callFigures(rows, sizes) {
  const microseconds = (contestant) => {
    const row = rows.find((one) => one.race === "one call" && one.contestant === contestant);
    return row === undefined ? null : (row.nanoseconds * row.dims[0]) / 1000;
  };
  return [
    atMost("64 values, one call, arrays in its memory", microseconds("lutra, arrays in its memory"), 0.2, "us"),
    atMost("64 values, one call, the caller's arrays", microseconds("lutra, the caller's arrays"), 0.2, "us"),
    atMost("GELU within 1e-4 with its loader, gzip", sizes["gelu-coarse"], 4096, "bytes"),
  ];
}

function threadFigures(over) {
  const times = (contestant) => inverse(over("threads", LARGE, contestant, "lutra, 4 threads"));
  return [
    atMost("5M values, 4 threads: time over memory.copy's by 4 threads", times("memory.copy, 4 threads"), 1.15),
    atMost("5M values, 4 threads: time over one thread's", times("lutra, 1 thread"), 1),
  ];
}

function paperFigures(over) {
  const [few, ...more] = PAPER.segments;
  const ratios = Object.keys(PAPER.ranges).flatMap((fn) =>
    ["scalar", "simd"].flatMap((form) =>
      more.map((segments) => [
        `${fn}, ${segments}, ${form}`,
        over(`${fn}, segments`, SMALL, `${segments} segments, ${form}`, `${few} segments, ${form}`),
      ]),
    ),
  );
  const searches = SEARCHED.filter((segments) => segments >= FEWEST_SEARCHED).map((segments) => [
    segments,
    over("binary search", SMALL, `binary search, ${segments} segments`, "algorithm 1, 4096 segments"),
  ]);
  const [slowest, most] = extreme(ratios, Math.max);
  const [, least] = extreme(searches, Math.min);
  return [
    atMost(`uniform tables of 256 to 4096 segments: time over 64 segments' (most: ${slowest})`, most, EQUAL),
    atLeast("a binary search among 64 to 4096 segments: time over algorithm 1's", least, 1, "x"),
  ];
}

/** The [name, value] of the largest or smallest value; null as soon as one is missing. */
function extreme(pairs, choose) {
  const missing = pairs.find(([, value]) => value === null);
  if (missing !== undefined) return missing;
  const value = choose(...pairs.map(([, one]) => one));
  return pairs.find(([, one]) => one === value);
}

function inverse(ratio) {
  return ratio === null ? null : 1 / ratio;
}
