import { type Client, encodeScheduleOverlapPolicy, isGrpcServiceError } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import { AppError } from '../domain/errors.ts';
import type { OpenScheduleAct, ScheduleAct } from '../domain/runs/triggers/schedule.ts';
import { ifScheduleFound, type ScheduleKey, temporalScheduleId } from './schedules.ts';

type Patch = NonNullable<Parameters<Client['workflowService']['patchSchedule']>[0]['patch']>;

const GRPC_INVALID_ARGUMENT = 3;

/**
 * False when Temporal has no such schedule. An act that is repeated is done once: Temporal knows it by its request id.
 * @throws INPUT_INVALID for what Temporal will never do
 */
export async function actOnSchedule(client: Client, key: ScheduleKey, open: OpenScheduleAct): Promise<boolean> {
  const { namespace, identity } = client.options;
  const scheduleId = temporalScheduleId(key);
  const patch = patchOf(open.act);
  try {
    const call = () =>
      client.workflowService.patchSchedule({ namespace, identity, scheduleId, requestId: open.requestId, patch });
    return (await ifScheduleFound(client, call)) !== undefined;
  } catch (error) {
    if (!isGrpcServiceError(error) || Number(error.code) !== GRPC_INVALID_ARGUMENT) throw error;
    throw new AppError('INPUT_INVALID', { detail: error.details, paths: [] }, error);
  }
}

function patchOf(act: ScheduleAct): Patch {
  switch (act.kind) {
    case 'pause':
      return { pause: act.note ?? 'Paused' };
    case 'unpause':
      return { unpause: act.note ?? 'Unpaused' };
    // Two in the same second are one: Temporal names what it starts by the second.
    case 'trigger':
      return { triggerImmediately: { overlapPolicy: encodeScheduleOverlapPolicy(act.overlap) ?? null } };
    case 'backfill': {
      const overlapPolicy = encodeScheduleOverlapPolicy(act.overlap) ?? null;
      const [startTime, endTime] = [act.from, act.to].map((time) => msNumberToTs(Date.parse(time)));
      return { backfillRequest: [{ startTime: startTime ?? null, endTime: endTime ?? null, overlapPolicy }] };
    }
  }
}
