import {
  type Client,
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { TaskQueue } from '../domain/runs/queues.ts';
import type { Calendar } from '../domain/runs/triggers/cron.ts';
import {
  SCHEDULED_RUN_WORKFLOW_TYPE,
  type ScheduledRunArguments,
  type ScheduleRecord,
} from '../domain/runs/triggers/schedule.ts';
import { calendarsOf } from '../domain/runs/triggers/schedule-spec.ts';
import { TENANT_ATTRIBUTE, WORKFLOW_ATTRIBUTE } from './search-attributes.ts';

const RUNS_QUEUE: TaskQueue = 'runs';
const DEADLINE_MS = 10_000;
const GRPC_NOT_FOUND = 5;

export type ScheduleKey = Pick<ScheduleRecord, 'tenantId' | 'id'>;
type Options = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

export type ScheduleState = {
  paused: boolean;
  note: string | null;
  /** Jitter included. */
  nextTimes: Date[];
  recent: { scheduledAt: Date; takenAt: Date; holderId: string }[];
  /** Workflows that stand for open runs. */
  runningHolders: string[];
  taken: number;
  missed: number;
  skipped: number;
};

/** Unique in the namespace. */
export const temporalScheduleId = ({ tenantId, id }: ScheduleKey): string => `weft/${tenantId}/${id}`;

/** Makes Temporal's schedule what the record wants; whether it is paused stays as it is. */
export async function putSchedule(
  client: Client,
  record: ScheduleRecord,
  start: { paused: boolean; note: string | null } = { paused: false, note: null },
): Promise<void> {
  const options = scheduleOptions(record);
  await withDeadline(client, async () => {
    try {
      const state = { paused: start.paused, ...(start.note === null ? {} : { note: start.note }) };
      await client.schedule.create({ ...options, state });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const { scheduleId, ...changed } = options;
      await client.schedule.getHandle(scheduleId).update((previous) => ({ ...changed, state: previous.state }));
    }
  });
}

function scheduleOptions(record: ScheduleRecord): Options {
  const { spec, tenantId, id, workflowId, name } = record;
  const scheduleId = temporalScheduleId(record);
  const attributes = [
    { key: TENANT_ATTRIBUTE, value: tenantId as string },
    { key: WORKFLOW_ATTRIBUTE, value: workflowId as string },
  ];
  const args: [ScheduledRunArguments] = [{ tenantId, scheduleId: id }];
  return {
    scheduleId,
    spec: {
      cronExpressions: calendarsOf(spec).map(cronOf),
      intervals: spec.intervals.map(({ everySeconds, offsetSeconds }) => ({
        every: everySeconds * 1000,
        offset: offsetSeconds * 1000,
      })),
      timezone: spec.timeZone,
      jitter: spec.jitterSeconds * 1000,
      ...(spec.startAt === null ? {} : { startAt: new Date(spec.startAt) }),
      ...(spec.endAt === null ? {} : { endAt: new Date(spec.endAt) }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: SCHEDULED_RUN_WORKFLOW_TYPE,
      taskQueue: RUNS_QUEUE,
      workflowId: scheduleId,
      args,
      staticSummary: `schedule ${name} of ${workflowId}`,
      typedSearchAttributes: attributes,
    },
    policies: {
      overlap: record.overlap,
      catchupWindow: record.catchupWindowMs,
      pauseOnFailure: record.pauseOnFailure,
    },
    typedSearchAttributes: attributes,
    memo: { workflow: workflowId, name },
  };
}

/** Numbers alone, so that Temporal's reading of names, of day 7 and of two restricted days does not matter. */
function cronOf({ minutes, hours, daysOfMonth, months, daysOfWeek }: Calendar): string {
  const field = (values: readonly number[], all: number) => (values.length === all ? '*' : values.join(','));
  return [field(minutes, 60), field(hours, 24), field(daysOfMonth, 31), field(months, 12), field(daysOfWeek, 7)].join(
    ' ',
  );
}

/** Undefined when Temporal has no such schedule. */
export async function describeSchedule(client: Client, key: ScheduleKey): Promise<ScheduleState | undefined> {
  const described = await ifScheduleFound(client, () => client.schedule.getHandle(temporalScheduleId(key)).describe());
  return described && stateOf(described);
}

function stateOf({ state, info }: ScheduleDescription): ScheduleState {
  return {
    paused: state.paused,
    note: state.note ?? null,
    nextTimes: info.nextActionTimes,
    recent: info.recentActions.map(({ scheduledAt, takenAt, action }) => ({
      scheduledAt,
      takenAt,
      holderId: action.workflow.workflowId,
    })),
    runningHolders: info.runningActions.map(({ workflow }) => workflow.workflowId),
    taken: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
  };
}

/** False when Temporal has no such schedule. */
export const deleteSchedule = async (client: Client, key: ScheduleKey): Promise<boolean> =>
  (await ifScheduleFound(client, () =>
    client.schedule
      .getHandle(temporalScheduleId(key))
      .delete()
      .then(() => true),
  )) ?? false;

/** Undefined when Temporal has no such schedule. */
export async function ifScheduleFound<T>(client: Client, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(client, call);
  } catch (error) {
    const missing =
      error instanceof ScheduleNotFoundError || (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND);
    if (missing) return undefined;
    throw error;
  }
}

const withDeadline = <T>(client: Client, call: () => Promise<T>): Promise<T> =>
  client.withDeadline(Date.now() + DEADLINE_MS, call);
