import type pg from 'pg';
import type { TokenEvent, TokenPlace, TokenRecord } from '../../domain/models/token-event.ts';
import { listenTo } from './listen-to.ts';
import { waitFor } from './wait-for.ts';
import { TOKENS_CHANNEL } from './token-publisher.ts';

export type TokenStreamPlace = Omit<TokenPlace, 'attempt'>;
/** The last record that a reader has seen. */
export type TokenCursor = { attempt: number; seq: number; isLast?: boolean };
export const FROM_THE_START: TokenCursor = { attempt: 0, seq: 0 };

export type TokenHub = {
  /** What comes after the cursor and is kept: of the newest attempt alone, where there are several. */
  read(place: TokenStreamPlace, after: TokenCursor): Promise<TokenRecord[]>;
  /** Resolves when there may be more of a run; rejects when `signal` is aborted. */
  next(runId: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

type Asked = {
  place: TokenStreamPlace;
  after: TokenCursor;
  resolve: (records: TokenRecord[]) => void;
  reject: (error: unknown) => void;
};
type Row = { n: string; attempt: number; seq: number; event: TokenEvent; recorded_at: Date };

/** Tokens of all processes for the readers of this one: one connection that listens, and one query for all who ask at a time. */
export function openTokenHub(pool: pg.Pool, databaseUrl: string, onLost: (error: unknown) => void): TokenHub {
  const waiting = new Map<string, Set<() => void>>();
  let asked: Asked[] = [];
  let listener: { close: () => Promise<void> } | undefined;
  const onNotification = (payload?: string) => {
    const runs = payload ? payload.split(' ') : [...waiting.keys()];
    for (const run of runs) for (const wake of [...(waiting.get(run) ?? [])]) wake();
  };
  const readAll = async () => {
    const taken = asked;
    asked = [];
    try {
      const found = await readChunks(pool, taken);
      taken.forEach(({ resolve }, index) => resolve(found[index] ?? []));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  };
  return {
    read: (place, after) =>
      new Promise((resolve, reject) => {
        if (asked.length === 0) setImmediate(() => void readAll());
        asked.push({ place, after, resolve, reject });
      }),
    next(runId, signal) {
      listener ??= listenTo(databaseUrl, TOKENS_CHANNEL, { onNotification, onLost });
      return waitFor(waiting, runId, signal);
    },
    async close() {
      await listener?.close();
    },
  };
}

async function readChunks(pool: pg.Pool, asked: readonly Asked[]): Promise<TokenRecord[][]> {
  const { rows } = await pool.query<Row>({
    name: 'read-token-chunks',
    text: `SELECT place.n, chunk.attempt, chunk.seq, chunk.event, chunk.recorded_at
           FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[]) WITH ORDINALITY
                  AS place(run_id, node_id, iteration, attempt, seq, n)
           JOIN LATERAL (
             SELECT attempt, seq, event, recorded_at FROM token_chunks one
             WHERE one.run_id = place.run_id AND one.node_id = place.node_id AND one.iteration = place.iteration
               AND (one.attempt, one.seq) > (place.attempt, place.seq)
           ) chunk ON true
           ORDER BY place.n, chunk.attempt, chunk.seq`,
    values: [
      asked.map(({ place }) => place.runId),
      asked.map(({ place }) => place.nodeId),
      asked.map(({ place }) => place.iteration),
      asked.map(({ after }) => after.attempt),
      asked.map(({ after }) => after.seq),
    ],
  });
  const found: TokenRecord[][] = asked.map(() => []);
  for (const { n, attempt, seq, event, recorded_at: at } of rows) {
    found[Number(n) - 1]?.push({ attempt, seq, at, event });
  }
  return found.map(newestAttempt);
}

/** An attempt that another one has followed says nothing more. */
function newestAttempt(records: TokenRecord[]): TokenRecord[] {
  const newest = records.at(-1)?.attempt;
  return records.filter(({ attempt }) => attempt === newest);
}
