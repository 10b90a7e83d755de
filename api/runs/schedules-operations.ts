import { randomUUIDv7 } from 'node:crypto';
import { newestCursor, parseNewestCursor } from '../../adapters/postgres/newest-page.ts';
import {
  finishScheduleActs,
  insertSchedule,
  listSchedules,
  markScheduleDeleted,
  noteScheduleAct,
  readSchedule,
  type ScheduleKey,
  syncSchedule,
  updateSchedule,
} from '../../adapters/postgres/schedule-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { checkText } from '../../domain/runs/triggers/event.ts';
import type { ScheduleAct, ScheduleRecord } from '../../domain/runs/triggers/schedule.ts';
import {
  checkScheduleSpec,
  nextTimes,
  type OverlapPolicy,
  type ScheduleSpec,
} from '../../domain/runs/triggers/schedule-spec.ts';
import { checkTriggerMapping } from '../../domain/runs/triggers/trigger-expression.ts';
import { actOnSchedule } from '../../temporal/schedule-acts.ts';
import { deleteSchedule as deleteFromTemporal, putSchedule } from '../../temporal/schedules.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import type { RunsDeps } from './deps.ts';
import type { PageArguments } from './read-runs.ts';
import { changed, scheduleActed, scheduleEvent } from './recorded-changes.ts';
import { checkConstantInput, checkTriggerId, targetWorkflow } from './trigger-target.ts';

type Optional<T> = { [Name in keyof T]?: T[Name] | null | undefined };
export type SpecInput = Optional<{
  crons: string[];
  intervals: { everySeconds: number; offsetSeconds?: number | null }[];
  timeZone: string;
  startAt: Date;
  endAt: Date;
  jitterSeconds: number;
}>;
export type ScheduleChanges = Optional<{
  name: string;
  version: number;
  input: Json;
  mapping: Json;
  spec: SpecInput;
  overlap: OverlapPolicy;
  catchupWindowSeconds: number;
  pauseOnFailure: boolean;
}>;
export type CreateSchedule = ScheduleChanges & { workflowId: string; spec: SpecInput } & Optional<{
    id: string;
    paused: boolean;
    note: string;
  }>;

/** Temporal's own default. */
const CATCHUP_WINDOW_MS = 365 * 86_400_000;
const MOST_BACKFILLED = 1_000;

/** @throws NOT_FOUND, SCHEDULE_INVALID, MAPPING_INVALID, INPUT_INVALID, ID_TAKEN */
export async function createSchedule(
  deps: RunsDeps,
  principal: Principal,
  request: CreateSchedule,
): Promise<ScheduleRecord> {
  const id = checkTriggerId(request.id ?? `schedule-${randomUUIDv7()}`);
  const published = await targetWorkflow(deps, principal, request);
  const wanted = applied(request, {
    id,
    tenantId: principal.tenantId,
    workflowId: published.workflowId,
    version: null,
    name: id,
    input: {},
    mapping: null,
    spec: specOf(request.spec),
    overlap: 'SKIP',
    catchupWindowMs: CATCHUP_WINDOW_MS,
    pauseOnFailure: false,
  });
  if (wanted.mapping === null) checkConstantInput(deps, published, wanted.input);
  const start = { paused: request.paused ?? false, note: request.note ?? null };
  const schedule = await changed(
    deps,
    principal,
    (client) => insertSchedule(client, wanted, start),
    (made) => scheduleEvent('schedule.created', made, principal.subject),
  );
  await syncOrLeave(deps, schedule);
  deps.log.info({ scheduleId: id, workflowId: wanted.workflowId }, 'schedule created');
  return schedule;
}

/** What is left out stays as it is. @throws NOT_FOUND, SCHEDULE_INVALID, MAPPING_INVALID, INPUT_INVALID */
export async function changeSchedule(
  deps: RunsDeps,
  principal: Principal,
  { id, ...changes }: ScheduleChanges & { id: string },
): Promise<ScheduleRecord> {
  const wanted = applied(changes, await scheduleNamed(deps, principal, id));
  const published = await targetWorkflow(deps, principal, wanted);
  if (wanted.mapping === null) checkConstantInput(deps, published, wanted.input);
  const schedule = await changed(
    deps,
    principal,
    (client) => updateSchedule(client, wanted),
    (made) => scheduleEvent('schedule.changed', made, principal.subject),
  );
  if (!schedule) throw notFound(id);
  await syncOrLeave(deps, schedule);
  return schedule;
}

type Wanted = Omit<ScheduleRecord, 'revision' | 'createdAt' | 'updatedAt'>;

function applied<Base extends Wanted>(changes: ScheduleChanges, base: Base): Base {
  const { spec, name, catchupWindowSeconds } = changes;
  const wanted = {
    ...base,
    ...(name ? { name: checkText('name', name, 255) } : {}),
    ...(changes.version === undefined ? {} : { version: changes.version }),
    ...(changes.input === undefined ? {} : { input: changes.input ?? {} }),
    ...(changes.mapping === undefined
      ? {}
      : { mapping: changes.mapping === null ? null : checkTriggerMapping('SCHEDULE', changes.mapping) }),
    ...(spec ? { spec: specOf(spec) } : {}),
    ...(changes.overlap ? { overlap: changes.overlap } : {}),
    ...(catchupWindowSeconds === null || catchupWindowSeconds === undefined
      ? {}
      : { catchupWindowMs: catchupWindowSeconds * 1000 }),
    ...(changes.pauseOnFailure === null || changes.pauseOnFailure === undefined
      ? {}
      : { pauseOnFailure: changes.pauseOnFailure }),
  };
  if (wanted.catchupWindowMs < 10_000) throw argumentInvalid('catchupWindowSeconds', 'must be at least 10');
  return wanted;
}

/** @throws SCHEDULE_INVALID */
function specOf({ crons, intervals, timeZone, startAt, endAt, jitterSeconds }: SpecInput): ScheduleSpec {
  const spec: ScheduleSpec = {
    crons: crons ?? [],
    intervals: (intervals ?? []).map(({ everySeconds, offsetSeconds }) => ({
      everySeconds,
      offsetSeconds: offsetSeconds ?? 0,
    })),
    timeZone: timeZone ?? 'UTC',
    startAt: startAt?.toISOString() ?? null,
    endAt: endAt?.toISOString() ?? null,
    jitterSeconds: jitterSeconds ?? 0,
  };
  checkScheduleSpec(spec);
  return spec;
}

/** When a schedule would fire, before there is one. @throws SCHEDULE_INVALID, INPUT_INVALID */
export function previewSchedule(spec: SpecInput, after: Date | null | undefined, first: number): Date[] {
  return nextTimes(specOf(spec), (after ?? new Date()).getTime(), pageSize(first, 5, 100)).map((at) => new Date(at));
}

/** Open runs go on. @throws NOT_FOUND */
export async function deleteSchedule(deps: RunsDeps, principal: Principal, id: string): Promise<ScheduleRecord> {
  const schedule = await scheduleNamed(deps, principal, id);
  await changed(
    deps,
    principal,
    (client) => markScheduleDeleted(client, schedule),
    () => ({ type: 'schedule.deleted', id, payload: { id, by: principal.subject } }),
  );
  await syncOrLeave(deps, schedule);
  return schedule;
}

/** @throws NOT_FOUND */
export const pauseSchedule = (deps: RunsDeps, principal: Principal, id: string, note: string | null) =>
  acted(deps, principal, id, () => ({ kind: 'pause', note }));

/** @throws NOT_FOUND */
export const unpauseSchedule = (deps: RunsDeps, principal: Principal, id: string, note: string | null) =>
  acted(deps, principal, id, () => ({ kind: 'unpause', note }));

/** Fires now, also when it is paused. @throws NOT_FOUND */
export const triggerSchedule = (deps: RunsDeps, principal: Principal, id: string, overlap: OverlapPolicy | null) =>
  acted(deps, principal, id, (schedule) => ({ kind: 'trigger', overlap: overlap ?? schedule.overlap }));

export type BackfillSchedule = { id: string; from: Date; to: Date; overlap?: OverlapPolicy | null };

/** One run after the other unless the policy says otherwise. @throws NOT_FOUND, INPUT_INVALID */
export async function backfill(
  deps: RunsDeps,
  principal: Principal,
  { id, from, to, overlap }: BackfillSchedule,
): Promise<ScheduleRecord> {
  if (from >= to) throw argumentInvalid('to', 'must be after from');
  return acted(deps, principal, id, (schedule) => {
    const spec = { ...schedule.spec, endAt: to.toISOString() };
    if (nextTimes(spec, from.getTime() - 1, MOST_BACKFILLED + 1).length > MOST_BACKFILLED) {
      throw argumentInvalid('to', `makes more than ${MOST_BACKFILLED} firings`);
    }
    const range = { from: from.toISOString(), to: to.toISOString() };
    return { kind: 'backfill', ...range, overlap: overlap ?? 'BUFFER_ALL' };
  });
}

/** What is asked for is kept before it is done; what Temporal cannot take now is done later. */
async function acted(
  deps: RunsDeps,
  principal: Principal,
  id: string,
  actOf: (schedule: ScheduleRecord) => ScheduleAct,
): Promise<ScheduleRecord> {
  const schedule = await scheduleNamed(deps, principal, id);
  const requestId = randomUUIDv7();
  const open = { requestId, askedAt: new Date().toISOString(), by: principal.subject, act: actOf(schedule) };
  await syncNow(deps, schedule);
  if (!(await noteScheduleAct(deps.pool, schedule, open))) throw notFound(id);
  await laterIfUnavailable(deps, schedule, async () => {
    const refused = (await finishActs(deps, schedule)).get(requestId);
    if (refused) throw refused;
  });
  return schedule;
}

/** Gives those that Temporal will never do. */
async function finishActs(
  deps: Pick<RunsDeps, 'pool' | 'temporal'>,
  key: ScheduleKey,
): Promise<ReadonlyMap<string, AppError>> {
  const refused = new Map<string, AppError>();
  await finishScheduleActs(deps.pool, key, async (open) => {
    try {
      if (await actOnSchedule(deps.temporal, key, open)) return scheduleActed(key.id, open);
      refused.set(open.requestId, notFound(key.id));
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'INPUT_INVALID')) throw error;
      refused.set(open.requestId, error);
    }
    return null;
  });
  return refused;
}

/** Brings Temporal to what the row wants, after what is still to be done to the schedule as it was. */
export async function syncNow(deps: Pick<RunsDeps, 'pool' | 'temporal'>, key: ScheduleKey): Promise<void> {
  await finishActs(deps, key);
  await syncSchedule(deps.pool, key, async (wanted, start) => {
    if (wanted) await putSchedule(deps.temporal, wanted, start);
    else await deleteFromTemporal(deps.temporal, key);
  });
}

const syncOrLeave = (deps: RunsDeps, key: ScheduleKey): Promise<void> =>
  laterIfUnavailable(deps, key, () => syncNow(deps, key));

/** What Temporal cannot take now, whoever looks after unsynced schedules tells it later. */
async function laterIfUnavailable(deps: RunsDeps, key: ScheduleKey, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (toAppError(error)?.code !== 'TEMPORAL_UNAVAILABLE') throw error;
    deps.log.info({ scheduleId: key.id }, 'Temporal is told of the schedule later');
  }
}

/** @throws NOT_FOUND */
async function scheduleNamed(deps: RunsDeps, principal: Principal, id: string): Promise<ScheduleRecord> {
  const schedule = await readScheduleOf(deps, principal, id);
  if (!schedule) throw notFound(id);
  return schedule;
}

export async function readScheduleOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  id: string,
): Promise<ScheduleRecord | undefined> {
  return id.includes('\0') ? undefined : readSchedule(deps.pool, { tenantId, id });
}

/** Newest first. @throws INPUT_INVALID */
export async function listSchedulesOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  filter: PageArguments & { workflowId?: string | null },
): Promise<Connection<ScheduleRecord>> {
  const after = filter.after ?? undefined;
  if (after !== undefined && !parseNewestCursor(after)) throw argumentInvalid('after', 'is no cursor of this list');
  const first = pageSize(filter.first, 20, 100);
  const page = await listSchedules(deps.pool, { tenantId, first, after, workflowId: filter.workflowId ?? undefined });
  return connectionOf(page, newestCursor, after);
}

const notFound = (id: string) => new AppError('NOT_FOUND', { what: 'Schedule', id });
