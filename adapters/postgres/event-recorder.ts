import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { recordEvents } from './record-events.ts';
import { tenantsOfRuns } from './tenants-of-runs.ts';

const MOST_AT_ONCE = 500;
/** A run that somebody else has started is known once the projector has stored it. */
const UNKNOWN_RUN_MS = 5_000;
const LOOK_AGAIN_MS = 100;

type Waiting = {
  runId: string;
  event: SystemEvent;
  since: number;
  resolve: () => void;
  reject: (error: unknown) => void;
};

/** Events that come while a transaction is under way share the next one: a process has one at a time. */
export function createEventRecorder(pool: pg.Pool, unknownRunMs = UNKNOWN_RUN_MS): EventRecorder {
  const waiting: Waiting[] = [];
  let writing = false;
  const add = (one: Waiting) => {
    waiting.push(one);
    if (!writing) void write();
  };
  const later = (one: Waiting) => {
    if (Date.now() - one.since < unknownRunMs) return void sleep(LOOK_AGAIN_MS).then(() => add(one));
    // In the tenant of somebody else it would be worse than lost.
    one.reject(new AppError('NOT_FOUND', { what: 'Run', id: one.runId }));
  };
  const write = async () => {
    writing = true;
    while (waiting.length > 0) {
      const taken = waiting.splice(0, MOST_AT_ONCE);
      try {
        const unknown = await recordOfRuns(pool, taken);
        for (const one of taken) {
          if (unknown.has(one)) later(one);
          else one.resolve();
        }
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    writing = false;
  };
  return {
    recordOfRun(runId, event) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      add({ runId, event, since: Date.now(), resolve, reject });
      return promise;
    },
  };
}

/** Gives those of runs whose tenant is not known, which are not recorded. */
async function recordOfRuns(pool: pg.Pool, taken: readonly Waiting[]): Promise<Set<Waiting>> {
  const runs = taken.map(({ runId }) => runId);
  const tenants = await tenantsOfRuns(pool, runs);
  const groups = Map.groupBy(taken, ({ runId }) => tenants.get(runId));
  for (const [tenantId, own] of groups) {
    if (tenantId === undefined) continue;
    await recordEvents(
      pool,
      tenantId,
      own.map(({ event }) => event),
    );
  }
  return new Set(groups.get(undefined));
}
