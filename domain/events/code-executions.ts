import { nodeId, type RunId } from '../identifiers.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { RunError } from '../runs/run-event.ts';
import type { NodeExecutionRecord } from '../runs/run-record.ts';
import type { StoredEvent } from './stored-event.ts';

type ActivityEvent = Pick<StoredEvent, 'type' | 'streamId' | 'version' | 'occurredAt' | 'payload'>;

/**
 * The activities of a run that somebody's own code drives, in the order in which they were scheduled: the activity type stands for
 * the node, the how-manieth of it for the iteration.
 */
export class CodeExecutions {
  readonly #runId: RunId;
  readonly #executions = new Map<string, NodeExecutionRecord>();
  readonly #counts = new Map<string, number>();

  constructor(runId: RunId) {
    this.#runId = runId;
  }

  add({ type, streamId, version, occurredAt, payload }: ActivityEvent): void {
    if (!isJsonObject(payload)) return;
    if (type === 'activity.scheduled') {
      this.#executions.set(`${streamId}/${version}`, this.#scheduled(String(payload['activityType']), occurredAt));
      return;
    }
    const execution = this.#executions.get(`${streamId}/${String(payload['scheduled'])}`);
    if (execution === undefined) return;
    if (type === 'activity.started') execution.attempts = Number(payload['attempt']);
    else if (type === 'activity.completed')
      close(execution, 'COMPLETED', occurredAt, { output: payload['output'] ?? null });
    else if (type === 'activity.failed')
      close(execution, 'FAILED', occurredAt, { error: payload['error'] as RunError });
    else if (type === 'activity.cancelled') close(execution, 'CANCELLED', occurredAt, {});
  }

  all(): NodeExecutionRecord[] {
    return [...this.#executions.values()];
  }

  #scheduled(type: string, startedAt: Date): NodeExecutionRecord {
    const count = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, count);
    return {
      runId: this.#runId,
      nodeId: nodeId(type),
      iteration: String(count),
      type,
      status: 'RUNNING',
      attempts: 0,
      input: null,
      output: null,
      error: null,
      startedAt,
      closedAt: null,
      port: null,
      handled: false,
      reusedFrom: null,
    };
  }
}

function close(
  execution: NodeExecutionRecord,
  status: NodeExecutionRecord['status'],
  closedAt: Date,
  outcome: { output?: Json; error?: RunError },
): void {
  Object.assign(execution, { status, closedAt, ...outcome });
}
