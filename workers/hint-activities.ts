import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';

/** Hints that a run has news when one of its activities ends, well or badly. */
export function hintActivities(hint: (runId: string) => void): ActivityInterceptorsFactory {
  return (context) => {
    const inbound: ActivityInboundCallsInterceptor = {
      async execute(input, next) {
        try {
          return await next(input);
        } finally {
          const runId = context.info.workflowExecution?.workflowId;
          if (runId !== undefined) hint(runId);
        }
      },
    };
    return { inbound };
  };
}
