import { contentHash } from '../../temporal/content-hash.ts';
import { readFiring } from '../../adapters/postgres/trigger-firing-store.ts';
import { firingId } from '../../domain/runs/triggers/firing.ts';
import type { ScheduleRecord } from '../../domain/runs/triggers/schedule.ts';
import { nextTimes, type OverlapPolicy } from '../../domain/runs/triggers/schedule-spec.ts';
import { describeSchedule, type ScheduleState } from '../../temporal/schedules.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { listRunsOf, readWorkflow, type PageArguments } from './read-runs.ts';
import type { RunsContext } from './resolvers.ts';
import {
  backfill,
  type BackfillSchedule,
  changeSchedule,
  createSchedule,
  type CreateSchedule,
  deleteSchedule,
  listSchedulesOf,
  pauseSchedule,
  previewSchedule,
  readScheduleOf,
  type ScheduleChanges,
  type SpecInput,
  triggerSchedule,
  unpauseSchedule,
} from './schedules-operations.ts';

type Id = { id: string };
type Noted = Id & { note?: string | null };
type Recent = ScheduleState['recent'][number] & { schedule: ScheduleRecord };

export function scheduleResolvers(deps: RunsDeps) {
  const states = new WeakMap<ScheduleRecord, Promise<ScheduleState | undefined>>();
  const stateOf = (schedule: ScheduleRecord) => {
    const known = states.get(schedule) ?? describeSchedule(deps.temporal, schedule);
    states.set(schedule, known);
    return known;
  };
  return {
    Query: {
      schedule: (_: unknown, { id }: Id, { principal }: RunsContext) => readScheduleOf(deps, principal, id),
      schedules: (_: unknown, filter: PageArguments & { workflowId?: string }, { principal }: RunsContext) =>
        listSchedulesOf(deps, principal, filter),
      previewSchedule: (_: unknown, { spec, after, first }: { spec: SpecInput; after?: Date | null; first: number }) =>
        previewSchedule(spec, after, first),
    },
    Mutation: {
      createSchedule: (_: unknown, request: CreateSchedule, { principal }: RunsContext) =>
        createSchedule(deps, principal, request),
      updateSchedule: (_: unknown, request: ScheduleChanges & Id, { principal }: RunsContext) =>
        changeSchedule(deps, principal, request),
      deleteSchedule: async (_: unknown, { id }: Id, { principal }: RunsContext) =>
        (await deleteSchedule(deps, principal, id)).id,
      pauseSchedule: (_: unknown, { id, note }: Noted, { principal }: RunsContext) =>
        pauseSchedule(deps, principal, id, note ?? null),
      unpauseSchedule: (_: unknown, { id, note }: Noted, { principal }: RunsContext) =>
        unpauseSchedule(deps, principal, id, note ?? null),
      triggerSchedule: (_: unknown, { id, overlap }: Id & { overlap?: OverlapPolicy }, { principal }: RunsContext) =>
        triggerSchedule(deps, principal, id, overlap ?? null),
      backfillSchedule: (_: unknown, request: BackfillSchedule, { principal }: RunsContext) =>
        backfill(deps, principal, request),
    },
    Schedule: {
      workflow: ({ workflowId, version }: ScheduleRecord, _: unknown, { principal }: RunsContext) =>
        readWorkflow(deps, principal, workflowId, version ?? undefined),
      catchupWindowSeconds: ({ catchupWindowMs }: ScheduleRecord) => Math.round(catchupWindowMs / 1000),
      synced: async (schedule: ScheduleRecord) => (await stateOf(schedule)) !== undefined,
      paused: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.paused ?? null,
      note: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.note || null,
      nextTimes: async (schedule: ScheduleRecord, { first }: { first: number }) => {
        const count = pageSize(first, 5, 10);
        const told = (await stateOf(schedule))?.nextTimes;
        return (told ?? nextTimes(schedule.spec, Date.now(), count).map((at) => new Date(at))).slice(0, count);
      },
      recentActions: async (schedule: ScheduleRecord) =>
        ((await stateOf(schedule))?.recent ?? []).map((recent) => ({ ...recent, schedule })),
      runningActions: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.runningHolders.length ?? 0,
      actionsTaken: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.taken ?? 0,
      actionsMissed: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.missed ?? 0,
      actionsSkipped: async (schedule: ScheduleRecord) => (await stateOf(schedule))?.skipped ?? 0,
      runs: ({ id }: ScheduleRecord, page: PageArguments, { principal }: RunsContext) =>
        listRunsOf(deps, principal, { ...page, trigger: { kind: 'SCHEDULE', id } }),
    },
    ScheduleAction: {
      run: async ({ schedule, holderId }: Recent, _: unknown, { loaders, principal }: RunsContext) => {
        const id = firingId({ kind: 'SCHEDULE', triggerId: schedule.id, source: holderId }, contentHash);
        const firing = await readFiring(deps.pool, principal.tenantId, id);
        return firing?.runId ? loaders.run.load(firing.runId) : null;
      },
    },
    ScheduleSpec: {
      startAt: ({ startAt }: ScheduleRecord['spec']) => (startAt === null ? null : new Date(startAt)),
      endAt: ({ endAt }: ScheduleRecord['spec']) => (endAt === null ? null : new Date(endAt)),
    },
  };
}
