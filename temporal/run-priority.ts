import type { Priority } from '@temporalio/common';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { FLOW_LIMITS, PRIORITY } from '../domain/runs/flow-control/flow-policies.ts';
import { turnOfRun } from '../domain/runs/flow-control/flow-request.ts';
import { type TenantWeights, weightOfTenant } from '../domain/runs/flow-control/tenant-turns.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { contentHash } from './content-hash.ts';

const KEY_BYTES = 64;

/**
 * What Temporal's task queues order by; activities and child runs inherit it. Its keys are flat: the share of a tenant whose runs
 * have several keys is that of all its keys together.
 */
export function runPriority(
  run: Pick<RunRecord, 'tenantId' | 'input'> & Partial<Pick<RunRecord, 'priority'>>,
  { policies }: WorkflowDefinition,
  tenantWeights: TenantWeights = {},
): Priority {
  const { key, weight } = turnOfRun(policies, run.input);
  const { least, most } = FLOW_LIMITS.weight;
  const fairnessKey = key === '' ? run.tenantId : `${run.tenantId}/${key}`;
  return {
    priorityKey: run.priority ?? policies?.priority ?? PRIORITY.standard,
    fairnessKey: Buffer.byteLength(fairnessKey) > KEY_BYTES ? contentHash(fairnessKey) : fairnessKey,
    fairnessWeight: Math.min(most, Math.max(least, weight * weightOfTenant(tenantWeights, run.tenantId))),
  };
}
