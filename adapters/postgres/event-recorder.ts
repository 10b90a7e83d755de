import type pg from 'pg';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import { recordEvents } from './record-events.ts';

const MOST_AT_ONCE = 500;

type Waiting = { runId: string; event: SystemEvent; resolve: () => void; reject: (error: unknown) => void };

/** Events that come while a transaction is under way share the next one: a process has one at a time. */
export function createEventRecorder(pool: pg.Pool): EventRecorder {
  const waiting: Waiting[] = [];
  let writing = false;
  const write = async () => {
    writing = true;
    while (waiting.length > 0) {
      const taken = waiting.splice(0, MOST_AT_ONCE);
      try {
        await recordOfRuns(pool, taken);
        for (const { resolve } of taken) resolve();
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    writing = false;
  };
  return {
    recordOfRun(runId, event) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ runId, event, resolve, reject });
      if (!writing) void write();
      return promise;
    },
  };
}

async function recordOfRuns(pool: pg.Pool, taken: readonly Waiting[]): Promise<void> {
  const { rows } = await pool.query<{ id: string; tenant_id: string }>({
    name: 'tenants-of-runs',
    text: 'SELECT id, tenant_id FROM runs WHERE id = ANY($1)',
    values: [[...new Set(taken.map(({ runId }) => runId))]],
  });
  const tenants = new Map(rows.map(({ id, tenant_id }) => [id, tenant_id]));
  for (const [tenantId, own] of Map.groupBy(taken, ({ runId }) => tenants.get(runId) ?? DEFAULT_TENANT)) {
    await recordEvents(
      pool,
      tenantId,
      own.map(({ event }) => event),
    );
  }
}
