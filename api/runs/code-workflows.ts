import { runEvents } from '../../adapters/postgres/run-feed.ts';
import { CodeExecutions } from '../../domain/events/code-executions.ts';
import type { RunId } from '../../domain/identifiers.ts';
import { isCode, type WorkflowKind } from '../../domain/runs/code-workflow.ts';
import type { NodeExecutionRecord, PublishedDefinition } from '../../domain/runs/run-record.ts';
import type { RunsDeps } from './deps.ts';

export function workflowKind({ definition }: PublishedDefinition): WorkflowKind {
  return isCode(definition) ? 'CODE' : 'DEFINITION';
}

/** The activities of a run of kind CODE, made from its stored events: the engine knows no nodes of it. */
export async function codeNodes({ pool }: Pick<RunsDeps, 'pool'>, runId: RunId): Promise<NodeExecutionRecord[]> {
  const executions = new CodeExecutions(runId);
  for await (const event of runEvents(pool, runId)) executions.add(event);
  return executions.all();
}
