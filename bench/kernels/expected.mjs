// What contestants should answer at the checked places, by Lutra's own exact functions.
import { parseFn } from "lutra";
import { checkedPlaces, inputOf } from "./data.mjs";
import { CHAIN } from "./models.mjs";

export function at(input, dims) {
  const x = inputOf(input, dims);
  return checkedPlaces(x.length).map((place) => x[place]);
}

export function elementwiseExpected(text, input, dims) {
  const fn = parseFn(text);
  const x = at(input, dims);
  const compute = (value) => Math.fround(fn.evaluate(value));
  return { x, y: x.map(compute), chain: x.map(repeated(compute, CHAIN)) };
}

export function rowsExpected(input, dims, compute) {
  const [, columns] = dims;
  const x = inputOf(input, dims);
  return checkedPlaces(x.length).map((place) => {
    const first = place - (place % columns);
    return compute(Array.from(x.subarray(first, first + columns)))[place - first];
  });
}

export function repeated(compute, times) {
  return (value) => Array.from({ length: times }).reduce((last) => compute(last), value);
}

export function nearestCode({ scale, zeroPoint }, value) {
  return Math.min(127, Math.max(-128, Math.round(value / scale) + zeroPoint));
}
