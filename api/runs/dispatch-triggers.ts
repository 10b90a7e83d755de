import { setTimeout as sleep } from 'node:timers/promises';
import { forgetEmittedEvents, readEmittedEvent } from '../../adapters/postgres/emitted-event-store.ts';
import {
  claimWakes,
  forgetClosedWaits,
  lookBack,
  markWakeFailed,
  markWakeSent,
  noteNewWaits,
  type Wake,
} from '../../adapters/postgres/event-wait-store.ts';
import { listenTo } from '../../adapters/postgres/listen-to.ts';
import { unsyncedSchedules } from '../../adapters/postgres/schedule-store.ts';
import {
  claimFirings,
  clearStopRequest,
  endedFirings,
  forgetFirings,
  markFiringFailed,
  markFiringReported,
  stopRequests,
  TRIGGER_CHANNEL,
} from '../../adapters/postgres/trigger-firing-store.ts';
import { AppError } from '../../domain/errors.ts';
import { toRunError } from '../../domain/runs/run-error.ts';
import { MOST_ATTEMPTS, retryDelayMs } from '../../domain/runs/triggers/firing.ts';
import { signalEvent, signalRunEnded } from '../../temporal/wake-run.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import { cancelRun } from './answer-run.ts';
import type { RunsDeps } from './deps.ts';
import { handOnEvents } from './hand-on-events.ts';
import { syncNow } from './schedules-operations.ts';
import { ifClosed, startFiring } from './start-firing.ts';
import { inTenant } from './tenant-deps.ts';

export type TriggerDispatcher = { stop: () => Promise<void> };

/** A NOTIFY is lost with its connection, and the end of a run sends none. */
const POLL_MS = 500;
const BATCH = 20;
/** Longer than any of the calls that a claim covers. */
const LEASE_MS = 60_000;
const SYNC_QUIET_MS = 15_000;
const FORGET_EVERY_MS = 600_000;
const KEPT_MS = 7 * 86_400_000;

/**
 * Works off what triggers have made: starts runs, wakes those that wait, reports ends to schedules. Any number of processes do so at
 * once; every piece of work is a row, claimed for a minute, and may be done twice without harm.
 */
export function startTriggerDispatcher(
  deps: RunsDeps,
  { databaseUrl, onError }: { databaseUrl: string; onError: (error: unknown, step: string) => void },
): TriggerDispatcher {
  const abort = new AbortController();
  let wake = Promise.withResolvers<void>();
  const listener = listenTo(databaseUrl, TRIGGER_CHANNEL, {
    onNotification: () => wake.resolve(),
    onLost: (error) => onError(error, 'listen'),
  });
  const steps = dispatchSteps(deps, abort.signal);
  const loop = async () => {
    while (!abort.signal.aborted) {
      wake = Promise.withResolvers<void>();
      for (const [name, step] of Object.entries(steps)) {
        if (abort.signal.aborted) return;
        await step().catch((error: unknown) => onError(error, name));
      }
      const timer = new AbortController();
      const ended = AbortSignal.any([abort.signal, timer.signal]);
      await Promise.race([wake.promise, sleep(POLL_MS, undefined, { signal: ended }).catch(() => undefined)]);
      timer.abort();
    }
  };
  const running = loop();
  return {
    async stop() {
      abort.abort();
      await listener.close();
      await running;
    },
  };
}

function dispatchSteps(deps: RunsDeps, signal: AbortSignal): Record<string, () => Promise<void>> {
  const { pool } = deps;
  const untilEmpty = async (work: () => Promise<number>) => {
    while (!signal.aborted && (await work()) > 0);
  };
  return {
    events: () => untilEmpty(() => handOnEvents(pool, BATCH)),
    waits: async () => {
      await untilEmpty(() => noteNewWaits(pool, 200));
      await untilEmpty(() => lookBack(pool, 200));
    },
    firings: () => untilEmpty(() => startFirings(deps)),
    wakes: () => untilEmpty(() => sendWakes(deps)),
    stops: () => stopRuns(deps),
    ends: () => reportEnds(deps),
    schedules: every(SYNC_QUIET_MS, async () => {
      for (const key of await unsyncedSchedules(pool, SYNC_QUIET_MS)) await syncNow(inTenant(deps, key.tenantId), key);
    }),
    memory: every(FORGET_EVERY_MS, async () => {
      await forgetClosedWaits(pool);
      await forgetFirings(pool, KEPT_MS);
      await forgetEmittedEvents(pool, KEPT_MS);
    }),
  };
}

function every(ms: number, work: () => Promise<void>): () => Promise<void> {
  let next = 0;
  return async () => {
    if (Date.now() < next) return;
    next = Date.now() + ms;
    await work();
  };
}

async function startFirings(deps: RunsDeps): Promise<number> {
  const firings = await claimFirings(deps.pool, { limit: BATCH, leaseMs: LEASE_MS });
  await Promise.all(
    firings.map(async (firing) => {
      if (firing.stopRequested !== null) {
        const error = { code: 'CANCELLED', message: firing.stopRequested, nodeId: null, hint: null };
        return markFiringFailed(deps.pool, firing.id, error, null);
      }
      // What went wrong is on its row.
      await startFiring(deps, firing).catch(() => undefined);
    }),
  );
  return firings.length;
}

async function sendWakes(deps: RunsDeps): Promise<number> {
  const wakes = await claimWakes(deps.pool, { limit: BATCH, leaseMs: LEASE_MS });
  await Promise.all(wakes.map((wake) => sendWake(deps, wake)));
  return wakes.length;
}

async function sendWake(deps: RunsDeps, wake: Wake): Promise<void> {
  const { pool, temporal } = inTenant(deps, wake.tenantId);
  try {
    const event = await readEmittedEvent(pool, wake.tenantId, wake.eventId);
    if (!event) throw new AppError('NOT_FOUND', { what: 'Event', id: wake.eventId });
    const { id, name, correlation, data } = event;
    // A run that has ended waits for nothing any more.
    await signalEvent(temporal, wake.runId, { id, name, correlation, data });
    await markWakeSent(pool, wake);
    deps.hint(wake.runId);
    deps.log.info({ runId: wake.runId, eventId: id, event: name }, 'event delivered');
  } catch (error) {
    const known = toAppError(error) ?? new AppError('INTERNAL', {}, error);
    const again = known.retryable && wake.attempts < MOST_ATTEMPTS;
    await markWakeFailed(pool, wake, toRunError(known, null), again ? retryDelayMs(wake.attempts) : null);
  }
}

async function stopRuns(deps: RunsDeps): Promise<void> {
  const requests = await stopRequests(deps.pool);
  await Promise.all(
    requests.map(async ({ id, tenantId, runId, reason }) => {
      await cancelRun(inTenant(deps, tenantId), { tenantId, subject: null }, runId, reason).catch(ifClosed);
      await clearStopRequest(deps.pool, id);
    }),
  );
}

async function reportEnds(deps: RunsDeps): Promise<void> {
  for (const { id, tenantId, holderId, runId, status, error } of await endedFirings(deps.pool)) {
    const end = { runId, status: status ?? 'NOT_STARTED', code: error?.code ?? null, message: error?.message ?? null };
    await signalRunEnded(inTenant(deps, tenantId).temporal, holderId, end);
    await markFiringReported(deps.pool, id);
  }
}
