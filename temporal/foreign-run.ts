import { type Connection, isGrpcServiceError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Json } from '../domain/json.ts';
import type { DecodePayloads } from './history-payloads.ts';
import { TENANT_ATTRIBUTE } from './search-attributes.ts';

/** What Temporal says of a run that the store does not know. */
export type ForeignRun = {
  namespace: string;
  workflowType: string;
  taskQueue: string;
  arguments: readonly Json[];
  /** By its search attribute. */
  tenant: string | null;
  /** Who started it, as its client calls itself. */
  startedBy: string | null;
  startedAt: Date;
  parentId: string | null;
};

const NOT_FOUND = 5;

/** Undefined when the namespace does not have it. */
export async function readForeignRun(
  connection: Connection,
  namespace: string,
  workflowId: string,
  decode: DecodePayloads,
): Promise<ForeignRun | undefined> {
  const latest = await firstEvent(connection, namespace, workflowId, '');
  const chainStart = latest?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
  const first = (await firstEvent(connection, namespace, workflowId, chainStart)) ?? latest;
  const started = first?.workflowExecutionStartedEventAttributes;
  if (!first || !started) return undefined;
  const { seconds, nanos } = first.eventTime ?? {};
  return {
    namespace,
    workflowType: started.workflowType?.name ?? '',
    taskQueue: started.taskQueue?.name ?? '',
    arguments: await decode(started.input?.payloads),
    tenant: keyword(started.searchAttributes?.indexedFields?.[TENANT_ATTRIBUTE.name]),
    startedBy: started.identity || null,
    startedAt: new Date(Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6)),
    parentId: started.parentWorkflowExecution?.workflowId || null,
  };
}

async function firstEvent(
  connection: Connection,
  namespace: string,
  workflowId: string,
  runId: string,
): Promise<temporal.api.history.v1.IHistoryEvent | undefined> {
  try {
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    return history?.events?.[0];
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
    throw error;
  }
}

function keyword(payload: Payload | null | undefined): string | null {
  if (!payload?.data?.length) return null;
  const value: unknown = JSON.parse(new TextDecoder().decode(payload.data));
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' ? first : null;
}
