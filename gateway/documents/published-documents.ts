import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import { IDENTITY_HEADER } from '../callers.ts';
import type { GateCaller } from '../limits/operation-gate.ts';

/** Documents that were published in the tenant of a caller, or for all. */
export type PublishedDocuments = {
  find: (hash: string, caller: GateCaller) => Promise<string | null>;
  close: () => Promise<void>;
};

const MOST_KNOWN = 10_000;
/** How long a document counts after it was removed, and how long one that is not there is not asked for again. */
const KNOWN_MS = 60_000;
const ABSENT_MS = 3_000;
const ASK_MS = 5_000;

/** Asks the API, which keeps them. What it said last counts while it does not answer. */
export function createPublishedDocuments(api: string, log: Logger): PublishedDocuments {
  const pool = new Pool(new URL(api).origin, { connections: 4 });
  const known = new LRUCache<string, { text: string | null; at: number }>({ max: MOST_KNOWN });
  async function ask(hash: string, { identity }: GateCaller): Promise<string | null> {
    const { statusCode, body } = await pool.request({
      path: `/internal/documents/${hash}`,
      method: 'GET',
      headers: identity === undefined ? {} : { [IDENTITY_HEADER]: await identity('runs') },
      signal: AbortSignal.timeout(ASK_MS),
    });
    const text = await body.text();
    if (statusCode === 200) return (JSON.parse(text) as { body: string }).body;
    if (statusCode === 404) return null;
    throw new Error(`status ${statusCode}`);
  }
  return {
    async find(hash, caller) {
      const key = `${caller.tenantId} ${hash}`;
      const before = known.get(key);
      const age = before === undefined ? Infinity : Date.now() - before.at;
      if (before !== undefined && age < (before.text === null ? ABSENT_MS : KNOWN_MS)) return before.text;
      try {
        const text = await ask(hash, caller);
        known.set(key, { text, at: Date.now() });
        return text;
      } catch (error) {
        log.warn({ err: error }, 'the API could not be asked for a published document');
        return before?.text ?? null;
      }
    },
    close: () => pool.close(),
  };
}
