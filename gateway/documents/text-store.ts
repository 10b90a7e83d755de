import { LRUCache } from 'lru-cache';

/** Documents that were sent once, by hash; may forget. */
export type TextStore = {
  get: (hash: string) => Promise<string | null>;
  put: (hash: string, text: string) => Promise<void>;
};

export function createMemoryTexts(bytes: number): TextStore {
  const texts = new LRUCache<string, string>({
    maxSize: bytes,
    sizeCalculation: (text, hash) => 2 * (text.length + hash.length),
  });
  return {
    get: async (hash) => texts.get(hash) ?? null,
    put: async (hash, text) => void texts.set(hash, text),
  };
}

/** `near` answers what it has; `far` is shared with other processes, and what it cannot do is only reported. */
export function createTieredTexts(near: TextStore, far: TextStore, onError: (error: unknown) => void): TextStore {
  return {
    async get(hash) {
      const known = await near.get(hash);
      if (known !== null) return known;
      try {
        const text = await far.get(hash);
        if (text !== null) await near.put(hash, text);
        return text;
      } catch (error) {
        onError(error);
        return null;
      }
    },
    async put(hash, text) {
      await near.put(hash, text);
      try {
        await far.put(hash, text);
      } catch (error) {
        onError(error);
      }
    },
  };
}
