// One memory for a race: kernels and copies read and write the very same arrays in it, so that no contestant has better pages than another.
// The arrays are aligned alike, and not a multiple of 4096 bytes apart: a processor would take a load for one of what was just stored.

const PAGE_BYTES = 65536;
const ALIGNMENT = 64;
const STAGGER = 2112;
/** Room for the tables of all kernels of a race. */
const TABLES = 4 * 2 ** 20;

/**
 * @param x the inputs, which are copied into the memory; answers have as many bytes
 * @returns { memory, x, from, to, claim }: addresses of inputs and answers, and bytes for whoever needs some
 */
export function openArena(x, { isShared = false } = {}) {
  const to = aligned(TABLES + x.byteLength) + STAGGER;
  const pages = Math.ceil((to + x.byteLength) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: isShared });
  const inside = new x.constructor(memory.buffer, TABLES, x.length);
  inside.set(x);
  let free = ALIGNMENT;
  const claim = (bytes) => {
    const address = free;
    free = aligned(address + bytes);
    if (free > TABLES) throw new RangeError(`the tables of a race have ${TABLES} bytes`);
    return address;
  };
  return { memory, x: inside, from: TABLES, to, claim };
}

function aligned(address) {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}
