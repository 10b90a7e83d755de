import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { parseActivityId } from '../domain/runs/activity-id.ts';
import { TRACE_HEADER, traceIdOf } from '../domain/runs/trace-header.ts';

export type ActivityLog = { info: (fields: Record<string, unknown>, message: string) => void };

/** One line per attempt: which node of which run, in which trace, how long, and how it ended. */
export function logActivities(log: ActivityLog): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const header = input.headers[TRACE_HEADER];
        const node = parseActivityId(info.activityId);
        const fields = {
          runId: info.workflowExecution?.workflowId,
          traceId: header ? traceIdOf(defaultPayloadConverter.fromPayload<string>(header)) : null,
          nodeId: node?.nodeId ?? info.activityId,
          iteration: node?.iteration,
          type: info.activityType,
          attempt: info.attempt,
        };
        const begun = performance.now();
        const durationMs = () => Math.round(performance.now() - begun);
        try {
          const result = await next(input);
          log.info({ ...fields, durationMs: durationMs() }, 'activity completed');
          return result;
        } catch (error) {
          const code = error instanceof Error && 'type' in error ? error.type : (error as Error).name;
          log.info({ ...fields, durationMs: durationMs(), code }, 'activity failed');
          throw error;
        }
      },
    },
  });
}
