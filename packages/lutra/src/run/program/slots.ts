// Memory of one run: every slot has a time, from the step that first writes it to the one that last reads it. Slots whose times do not meet may
// lie in the same place.

/** Between slots: what SIMD reads behind the last number of one is in memory, whatever it is. */
const SPARE_BYTES = 16;
const ALIGNMENT = 64;

export interface Slot {
  readonly bytes: number;
  /** The first and the last step that need it. */
  readonly from: number;
  until: number;
  /** Where it begins, once all are placed. */
  address: number;
}

export class Slots {
  readonly #slots: Slot[] = [];

  add(bytes: number, from: number, until: number): Slot {
    const slot: Slot = { bytes, from, until, address: -1 };
    this.#slots.push(slot);
    return slot;
  }

  /**
   * Places all, in the order of their first steps, each where it fits closest to the start.
   * @returns the first address behind them
   */
  place(start: number): number {
    let end = start;
    let placed: Slot[] = [];
    for (const slot of [...this.#slots].sort((a, b) => a.from - b.from || b.bytes - a.bytes)) {
      placed = placed.filter(({ until }) => until >= slot.from);
      let address = start;
      let at = 0;
      for (; at < placed.length; at++) {
        const next = placed[at] as Slot;
        if (address + spaceOf(slot) <= next.address) break;
        address = Math.max(address, next.address + spaceOf(next));
      }
      slot.address = address;
      placed.splice(at, 0, slot);
      end = Math.max(end, address + spaceOf(slot));
    }
    return end;
  }
}

/** Bytes that a slot takes, up to where the next may begin. */
export function spaceOf({ bytes }: Pick<Slot, "bytes">): number {
  return alignedTo(bytes + SPARE_BYTES);
}

function alignedTo(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
