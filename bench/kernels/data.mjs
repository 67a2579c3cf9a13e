// The inputs of every contestant, equal in every runtime: integers and sums only, no function that engines compute differently. The
// answers are checked at every CHECKED_STEP-th of them, against what the bench's own process found.

/** A prime, so that no pattern of lanes or parts is skipped. */
const CHECKED_STEP = 997;
const UNIFORMS = 12;

const made = new Map();

/** The inputs that a race describes: {lane: "f32", spread, isNegative?}, or bytes of a lane, "u8" or "i8". Equal ones are made once. */
export function inputOf(how, dims) {
  const count = dims.reduce((product, extent) => product * extent, 1);
  const key = JSON.stringify([how, count]);
  if (!made.has(key)) made.set(key, makeInput(how, count));
  return made.get(key);
}

function makeInput({ lane, spread, isNegative = false }, count) {
  if (lane !== "f32") return bytes(lane === "u8" ? Uint8Array : Int8Array, count);
  const x = bellShaped(count, spread);
  return isNegative ? x.map((value) => -Math.abs(value)) : x;
}

/** Bell-shaped with mean 0: sums of 12 uniform numbers, at most 6 times the spread. */
export function bellShaped(count, spread, seed = 5) {
  const next = uniforms(seed);
  const x = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let sum = -UNIFORMS / 2;
    for (let k = 0; k < UNIFORMS; k++) sum += next();
    x[i] = spread * sum;
  }
  return x;
}

/** All codes are equally likely. */
function bytes(TypedArray, count) {
  const next = uniforms(6);
  return new TypedArray(count).map(() => Math.floor(256 * next()));
}

/** A permutation of the items. */
export function shuffled(items, next) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * next());
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Seeded numbers in [0, 1): mulberry32. */
export function uniforms(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The places whose answers are checked, the last one included. */
export function checkedPlaces(count) {
  const places = Array.from({ length: Math.ceil(count / CHECKED_STEP) }, (_, i) => i * CHECKED_STEP);
  return [...places, count - 1];
}
