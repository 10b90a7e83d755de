import type { Pool } from 'undici';
import { setTimeout as delay } from 'node:timers/promises';

/** Streams of a tenant that have got new events. */
export type Change = { tenantId: string; streams: readonly string[] };

export type FollowingChanges = {
  pool: Pool;
  path: string;
  headers: () => Promise<Record<string, string>>;
  onChange: (change: Change) => void;
  /** Something may have been missed. */
  onGap: () => void;
  onLost: (error: unknown) => void;
};

const LONGEST_WAIT_MS = 5_000;
/** The other side writes more often than this. */
const SILENCE_MS = 15_000;

/** Hears of new events from the API, for ever. */
export async function followChanges(following: FollowingChanges, signal: AbortSignal): Promise<void> {
  for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      for await (const line of lines(following, signal)) {
        wait = 100;
        if (line === ': begin') following.onGap();
        if (line.startsWith('data: ')) following.onChange(JSON.parse(line.slice(6)) as Change);
      }
    } catch (error) {
      if (!signal.aborted) following.onLost(error);
    }
    following.onGap();
    await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}

async function* lines(following: FollowingChanges, signal: AbortSignal): AsyncGenerator<string> {
  const { pool, path, headers } = following;
  const { statusCode, body } = await pool.request({
    ...{ path, method: 'GET', headers: await headers(), signal },
    ...{ headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS },
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`status ${statusCode}`);
  }
  let rest = '';
  body.setEncoding('utf8');
  for await (const chunk of body) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
