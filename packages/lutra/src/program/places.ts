// Where elements are: in a box that is walked by strides, and in an array that is repeated to a larger shape. Places in row-major order.

/** Of each element of a box: start + i strides[0] + j strides[1] + ... Exact up to 2^53, so that what leaves its tensor is seen. */
export function walkPlaces(start: number, strides: readonly number[], box: readonly number[]): Float64Array {
  let places = Float64Array.of(start);
  for (const [axis, extent] of box.entries()) {
    const stride = strides[axis] as number;
    const next = new Float64Array(places.length * extent);
    places.forEach((place, i) => {
      for (let j = 0; j < extent; j++) next[i * extent + j] = place + j * stride;
    });
    places = next;
  }
  return places;
}

/** The common shape of two: aligned on the right, axes that are 1 or missing repeated. */
export function commonShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a.at(i - rank) ?? 1, b.at(i - rank) ?? 1];
    return x === 1 ? y : x;
  });
}

/** For each element of a shape, which element of an array of the shape `own` is repeated there. */
export function repeatedPlaces(shape: readonly number[], own: readonly number[]): Int32Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const places = new Int32Array(count);
  let repeat = 1;
  let stride = 1;
  for (let axis = 1; axis <= own.length; axis++) {
    const [extent, given] = [shape.at(-axis) as number, own.at(-axis) as number];
    if (given > 1) {
      for (let i = 0; i < count; i++) places[i] = (places[i] as number) + (Math.floor(i / repeat) % extent) * stride;
    }
    repeat *= extent;
    stride *= given;
  }
  return places;
}
