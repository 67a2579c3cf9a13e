// A fingerprint of very many outputs in order, bit for bit: two lanes of 32 bits in the manner of MurmurHash3 (Appleby), each step of
// which is a bijection of the state, so that no single change is lost. Against accidents, not against malice.

/** The bits that stand for every NaN: JavaScript does not say which of them a NaN has. */
export const ANY_NAN = 0x7fc00000;

export class OutputDigest {
  #a = 0x9747b28c;
  #b = 0x2c1b3c6d;

  /** The first `count` words. */
  absorb(words: Uint32Array, count: number): void {
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < count; i++) {
      const mixed = Math.imul(words[i] as number, 0xcc9e2d51);
      const word = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
      a ^= word;
      a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
      b = (b + word) | 0;
      b = Math.imul((b << 17) | (b >>> 15), 0x9e3779b1);
    }
    this.#a = a;
    this.#b = b;
  }

  /** 16 hexadecimal digits. */
  text(): string {
    return [this.#a, this.#b].map((lane) => finalMix(lane).toString(16).padStart(8, "0")).join("");
  }
}

/** Every bit of the state reaches every bit of the text. */
function finalMix(state: number): number {
  let h = state ^ (state >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
