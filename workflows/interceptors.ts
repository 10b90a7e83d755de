import {
  defaultPayloadConverter,
  proxySinks,
  type Sinks,
  type WorkflowInterceptorsFactory,
  workflowInfo,
} from '@temporalio/workflow';
import type { Headers } from '@temporalio/common';
import { RUN_WORKFLOW_TYPE } from '../domain/runs/messages.ts';
import { RETRY_JITTER_HEADER } from '../domain/runs/retry-delay.ts';
import { TRACE_HEADER } from '../domain/runs/trace-header.ts';

interface HintSinks extends Sinks {
  hints: { progressed(): void };
}
const { hints } = proxySinks<HintSinks>();

/** Whoever starts a run of ours hints at it and says in its memo what it is; after that the run itself hints. */
function isForeign(): boolean {
  const { workflowType, memo } = workflowInfo();
  return workflowType !== RUN_WORKFLOW_TYPE || memo?.['definitionHash'] === undefined;
}

/** Hands on to activities the run's trace, and the part of their retry policy that Temporal has no place for. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const traceparent = workflowInfo().memo?.[TRACE_HEADER];
        const jitter = (input.options.retry as { jitter?: number } | undefined)?.jitter;
        const added: Headers = {};
        if (typeof traceparent === 'string') added[TRACE_HEADER] = defaultPayloadConverter.toPayload(traceparent);
        if (jitter !== undefined) added[RETRY_JITTER_HEADER] = defaultPayloadConverter.toPayload(jitter);
        return Object.keys(added).length === 0
          ? next(input)
          : next({ ...input, headers: { ...input.headers, ...added } });
      },
    },
  ],
  internals: [
    {
      concludeActivation(input, next) {
        if (isForeign()) hints.progressed();
        return next(input);
      },
    },
  ],
});
