import { defaultPayloadConverter, type WorkflowInterceptorsFactory, workflowInfo } from '@temporalio/workflow';
import { TRACE_HEADER } from '../domain/runs/trace-header.ts';

/** Hands the run's trace on to its activities. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const traceparent = workflowInfo().memo?.[TRACE_HEADER];
        if (typeof traceparent !== 'string') return next(input);
        const headers = { ...input.headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(traceparent) };
        return next({ ...input, headers });
      },
    },
  ],
});
