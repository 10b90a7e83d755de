import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export type EventHeads = {
  /** Resolves when the tenant has events after this position; rejects when `signal` is aborted. */
  beyond(tenantId: string, position: bigint, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

type Waiter = { tenantId: string; position: bigint; wake: () => void };

/** Asks where tenants have got to as long as anybody waits: one query for all of them, every so often. */
export function watchEventHeads(
  pool: pg.Pool,
  { everyMs = 50, onError }: { everyMs?: number; onError: (error: unknown) => void },
): EventHeads {
  const waiting = new Set<Waiter>();
  const closed = new AbortController();
  let asking: Promise<void> | undefined;
  const ask = async () => {
    while (waiting.size > 0 && !closed.signal.aborted) {
      const heads = await readHeads(pool, waiting).catch((error: unknown) => {
        onError(error);
        return new Map<string, bigint>();
      });
      for (const waiter of waiting) if ((heads.get(waiter.tenantId) ?? 0n) > waiter.position) waiter.wake();
      if (waiting.size > 0) await sleep(everyMs, undefined, { signal: closed.signal }).catch(() => undefined);
    }
    asking = undefined;
  };
  return {
    beyond(tenantId, position, signal) {
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.delete(waiter);
          signal.removeEventListener('abort', onAbort);
        };
        const onAbort = () => {
          leave();
          reject(signal.reason as Error);
        };
        const waiter = {
          tenantId,
          position,
          wake: () => {
            leave();
            resolve();
          },
        };
        waiting.add(waiter);
        signal.addEventListener('abort', onAbort);
        if (signal.aborted) onAbort();
        else asking ??= ask();
      });
    },
    async close() {
      closed.abort();
      await asking;
    },
  };
}

async function readHeads(pool: pg.Pool, waiting: ReadonlySet<Waiter>): Promise<Map<string, bigint>> {
  const { rows } = await pool.query<{ tenant_id: string; head: bigint }>({
    name: 'read-event-heads',
    text: 'SELECT tenant_id, head FROM tenant_heads WHERE tenant_id = ANY($1)',
    values: [[...new Set([...waiting].map(({ tenantId }) => tenantId))]],
  });
  return new Map(rows.map(({ tenant_id, head }) => [tenant_id, head]));
}
