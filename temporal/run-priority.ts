import type { Priority } from '@temporalio/common';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { PRIORITY } from '../domain/runs/flow-control/flow-policies.ts';
import { turnOfRun } from '../domain/runs/flow-control/flow-request.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { contentHash } from './content-hash.ts';

const KEY_BYTES = 64;

/** What Temporal's task queues order by; activities and child runs inherit it. */
export function runPriority(
  run: Pick<RunRecord, 'tenantId' | 'input'> & Partial<Pick<RunRecord, 'priority'>>,
  { policies }: WorkflowDefinition,
): Priority {
  const { key, weight } = turnOfRun(policies, run.input);
  const fairnessKey = key === '' ? run.tenantId : `${run.tenantId}/${key}`;
  return {
    priorityKey: run.priority ?? policies?.priority ?? PRIORITY.standard,
    fairnessKey: Buffer.byteLength(fairnessKey) > KEY_BYTES ? contentHash(fairnessKey) : fairnessKey,
    fairnessWeight: weight,
  };
}
