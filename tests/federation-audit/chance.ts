import { createHash } from 'node:crypto';

/** A number from 0 to 1 that the key decides. */
function fraction(key: string): number {
  return createHash('md5').update(key).digest().readUInt32BE() / 2 ** 32;
}

export const chance = (key: string, probability: number): boolean => fraction(key) < probability;

export function choice<Item>(key: string, items: readonly Item[]): Item {
  return items[Math.floor(fraction(`${key}=`) * items.length)] as Item;
}
