// Tensors as files beside the races: a race names { file, type, shape }, and who runs it reads the bytes.

const ARRAYS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
};

/** Typed array of a race's tensor. @param read the bytes of a file, in an ArrayBuffer of their own */
async function tensorOf({ file, type, shape }, read) {
  return { type, shape, data: new ARRAYS[type]((await read(file)).buffer) };
}

/** @param given {name: {file, type, shape}} */
export async function tensorsOf(given, read) {
  const entries = [];
  for (const [name, one] of Object.entries(given)) entries.push([name, await tensorOf(one, read)]);
  return Object.fromEntries(entries);
}

export function typeOf(data) {
  return Object.entries(ARRAYS).find(([, TypedArray]) => data instanceof TypedArray)[0];
}

/**
 * How far numbers are from others: root of the mean square of the differences over that of the others.
 * @throws Error if they are not as many
 */
export function distance(found, wanted) {
  if (found.length !== wanted.length) throw new Error(`${found.length} answers instead of ${wanted.length}`);
  let [differences, squares] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    differences += (Number(found[i]) - Number(wanted[i])) ** 2;
    squares += Number(wanted[i]) ** 2;
  }
  return differences === 0 ? 0 : Math.sqrt(differences / squares);
}
