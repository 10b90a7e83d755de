import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { toFailure } from '../activities/to-failure.ts';
import { AppError } from '../domain/errors.ts';
import { parseActivityId } from '../domain/runs/activity-id.ts';

/** Fails an activity whose result has more bytes of JSON than a payload may have; trying again would give the same. */
export function limitResults(limitBytes: number): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const result = await next(input);
        const bytes = Buffer.byteLength(JSON.stringify(result) ?? '');
        if (bytes <= limitBytes) return result;
        const node = parseActivityId(info.activityId)?.nodeId ?? info.activityId;
        throw toFailure(new AppError('PAYLOAD_TOO_LARGE', { where: `The output of node ${node}`, bytes, limitBytes }));
      },
    },
  });
}
