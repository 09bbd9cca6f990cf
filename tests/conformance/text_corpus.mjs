// SPDX-License-Identifier: MIT
// The seeded texts of tokenizer tests, as tests/support/text_corpus.hpp makes them.
import { readFileSync } from "node:fs";

const SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

export class Corpus {
  constructor() {
    this.lists = JSON.parse(readFileSync(new URL("../vectors/tokenizer/corpus.json", import.meta.url)));
    this.fragments = this.lists.fragments.map((text) => Array.from(text));
    this.state = 0;
  }
  below(bound) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1) >>> 0;
    t = (t ^ (t + Math.imul(t ^ (t >>> 7), t | 61))) >>> 0;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  times(count, act) {
    const out = [];
    for (let i = 0; i < count; ++i) out.push(act());
    return out;
  }
  part() {
    const l = this.lists;
    const kind = this.below(16);
    if (kind < 5) {
      const chars = this.pick(this.fragments);
      const whole = this.below(4) === 0;
      const begin = whole ? 0 : this.below(chars.length);
      const end = whole ? chars.length : Math.min(chars.length, begin + 1 + this.below(12));
      return Buffer.from(chars.slice(begin, end).join(""));
    }
    if (kind === 5) return Buffer.from(this.pick(l.special));
    if (kind === 6) return Buffer.from(this.times(1 + this.below(4), () => this.pick(l.blanks)).join(""));
    if (kind === 7) return Buffer.from(this.times(1 + this.below(12), () => 48 + this.below(10)));
    if (kind === 8) {
      const [first, last] = this.pick(l.ranges);
      const codes = this.times(1 + this.below(3), () => first + this.below(last - first + 1));
      return Buffer.from(String.fromCodePoint(...codes));
    }
    if (kind === 9) {
      const one = this.pick(this.pick(this.fragments));
      return Buffer.from(one.repeat(1 + this.below(24)));
    }
    if (kind === 10) return Buffer.from("'" + this.pick(l.endings));
    if (kind === 11) return Buffer.from(this.times(1 + this.below(10), () => SIGNS[this.below(32)]).join(""));
    if (kind === 12) {
      if (this.below(4) === 0) return Buffer.from(this.times(1 + this.below(5), () => this.below(256)));
      return Buffer.from([this.below(32)]);
    }
    if (kind === 13) {
      const first = this.below(4) === 0 ? 65 : 97;
      return Buffer.from(this.times(1 + this.below(16), () => first + this.below(26)));
    }
    if (kind === 14) return Buffer.from(this.times(1 + this.below(3), () => this.pick(l.emoji)).join(""));
    return Buffer.from(this.pick(l.marks));
  }
  // Bytes, sometimes not UTF-8.
  text(index) {
    this.state = (0x5eed + Math.imul(index, 0x9e3779b1)) >>> 0;
    return Buffer.concat(this.times(1 + this.below(8), () => this.part()));
  }
}
