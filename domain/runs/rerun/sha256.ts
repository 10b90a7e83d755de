const PRIMES = firstPrimes(64);
const fraction = (value: number): number => ((value - Math.floor(value)) * 2 ** 32) | 0;
const ROUND = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const BLOCK = 64;

/** Lower-case hex SHA-256 of the text as UTF-8, where there is no crypto module: workflow code has none. */
export function sha256(text: string): string {
  const bytes = padded(text);
  const hash = Int32Array.from(START);
  const words = new Int32Array(64);
  for (let at = 0; at < bytes.length; at += BLOCK) mix(hash, words, bytes, at);
  return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function mix(hash: Int32Array, words: Int32Array, bytes: Uint8Array, at: number): void {
  for (let index = 0; index < 16; index += 1) {
    const from = at + index * 4;
    words[index] = (byte(bytes, from) << 24) | (byte(bytes, from + 1) << 16) | (byte(bytes, from + 2) << 8);
    words[index] = word(words, index) | byte(bytes, from + 3);
  }
  for (let index = 16; index < 64; index += 1) {
    const early = word(words, index - 15);
    const late = word(words, index - 2);
    const low = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const high = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    words[index] = (word(words, index - 16) + low + word(words, index - 7) + high) | 0;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index += 1) {
    const high = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const first = (h + high + ((e & f) ^ (~e & g)) + word(ROUND, index) + word(words, index)) | 0;
    const low = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) hash[index] = word(hash, index) + value;
}

const rotated = (value: number, by: number): number => (value >>> by) | (value << (32 - by));
const byte = (bytes: Uint8Array, at: number): number => bytes[at] as number;
const word = (words: Int32Array, at: number): number => words[at] as number;

/** With the end mark and the length in bits, as the standard asks. */
function padded(text: string): Uint8Array {
  const length = utf8(text, null);
  const bytes = new Uint8Array(Math.ceil((length + 9) / BLOCK) * BLOCK);
  utf8(text, bytes);
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(bytes.length - 4, (length * 8) >>> 0);
  return bytes;
}

/** Gives the length; half a surrogate pair stands as U+FFFD, as everywhere else. */
function utf8(text: string, into: Uint8Array | null): number {
  let length = 0;
  const put = (value: number) => {
    if (into !== null) into[length] = value;
    length += 1;
  };
  for (let index = 0; index < text.length; index += 1) {
    let code = text.codePointAt(index) as number;
    if (code > 0xffff) index += 1;
    else if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) put(code);
    else {
      if (code < 0x800) put(0xc0 | (code >> 6));
      else {
        if (code < 0x1_0000) put(0xe0 | (code >> 12));
        else {
          put(0xf0 | (code >> 18));
          put(0x80 | ((code >> 12) & 0x3f));
        }
        put(0x80 | ((code >> 6) & 0x3f));
      }
      put(0x80 | (code & 0x3f));
    }
  }
  return length;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}
