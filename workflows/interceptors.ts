import { defaultPayloadConverter, type WorkflowInterceptorsFactory, workflowInfo } from '@temporalio/workflow';
import { TRACE_HEADER } from '../domain/runs/trace-header.ts';

/** Hands the run's trace on to its activities; a run without one pays for no interceptor. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const traceparent = workflowInfo().memo?.[TRACE_HEADER];
  if (typeof traceparent !== 'string') return {};
  const header = defaultPayloadConverter.toPayload(traceparent);
  return {
    outbound: [
      { scheduleActivity: (input, next) => next({ ...input, headers: { ...input.headers, [TRACE_HEADER]: header } }) },
    ],
  };
};
