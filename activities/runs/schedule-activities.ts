import { createHash } from 'node:crypto';
import type { readSchedule, ScheduleKey } from '../../adapters/postgres/schedule-store.ts';
import type { NewFiring } from '../../adapters/postgres/trigger-firing-store.ts';
import { tenantId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { toRunError } from '../../domain/runs/run-error.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import { firingId } from '../../domain/runs/triggers/firing.ts';
import type {
  RequestScheduledRun,
  ScheduleActivities,
  ScheduleRecord,
  StopScheduledRun,
} from '../../domain/runs/triggers/schedule.ts';
import { scheduledInput } from '../../domain/runs/triggers/firing-input.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type ScheduleDependencies = {
  readSchedule: (key: ScheduleKey) => ReturnType<typeof readSchedule>;
  insertFiring: (firing: NewFiring) => Promise<boolean>;
  requestFiringStop: (holderId: string, reason: string) => Promise<void>;
};

export function createScheduleActivities(dependencies: ScheduleDependencies) {
  return {
    'weft.requestScheduledRun': (request: RequestScheduledRun) =>
      heartbeatWhile(() => requestScheduledRun(dependencies, request)),
    'weft.stopScheduledRun': ({ holderId, reason }: StopScheduledRun) =>
      heartbeatWhile(() => dependencies.requestFiringStop(holderId, reason)),
  } satisfies ScheduleActivities;
}

async function requestScheduledRun(
  { readSchedule, insertFiring }: ScheduleDependencies,
  { tenantId: tenant, scheduleId, scheduledTime, holderId }: RequestScheduledRun,
): Promise<boolean> {
  const schedule = await readSchedule({ tenantId: tenantId(tenant), id: scheduleId });
  if (!schedule) return false;
  const { input, error } = inputAt(schedule, scheduledTime);
  // Told apart by the holder: the same time may be fired again by a backfill.
  const firing = { kind: 'SCHEDULE', triggerId: schedule.id, source: scheduledTime } as const;
  await insertFiring({
    ...firing,
    id: firingId({ ...firing, source: holderId }, (text) => createHash('sha256').update(text).digest('hex')),
    tenantId: schedule.tenantId,
    sourceHash: null,
    workflowId: schedule.workflowId,
    version: schedule.version,
    input,
    depth: 0,
    holderId,
    error,
  });
  return true;
}

function inputAt(schedule: ScheduleRecord, scheduledTime: string): { input: Json; error: RunError | null } {
  try {
    return { input: scheduledInput(schedule, scheduledTime), error: null };
  } catch (error) {
    return { input: null, error: toRunError(error, null) };
  }
}
