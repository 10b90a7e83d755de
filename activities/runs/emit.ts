import { Context } from '@temporalio/activity';
import type { NewEmittedEvent } from '../../adapters/postgres/emitted-event-store.ts';
import type { TenantId } from '../../domain/identifiers.ts';
import { checkDepth, checkEventName, correlationText, type EmitInput } from '../../domain/runs/triggers/event.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type EmitDependencies = {
  insertEmittedEvent: (event: NewEmittedEvent) => Promise<unknown>;
  eventDepthOf: (runId: string) => Promise<{ tenantId: TenantId; depth: number }>;
};

export function emit({ insertEmittedEvent, eventDepthOf }: EmitDependencies) {
  return ({ event, correlation, data = null }: EmitInput): Promise<{ id: string }> =>
    heartbeatWhile(async () => {
      const { workflowExecution, activityId } = Context.current().info;
      const runId = workflowExecution?.workflowId ?? '';
      const name = checkEventName(event);
      const chain = await eventDepthOf(runId);
      const depth = chain.depth + 1;
      checkDepth(name, depth);
      // The same for every attempt, so that an event whose acknowledgement was lost is not emitted twice.
      const id = `${runId}/${activityId}`;
      const { tenantId } = chain;
      await insertEmittedEvent({ id, tenantId, name, correlation: correlationText(correlation), data, depth, runId });
      return { id };
    });
}
