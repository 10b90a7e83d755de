import type { RunListOptions } from '../flow-commands.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { printJson, printRows } from './print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from './run-view.ts';

const LIST = `query ($first: Int, $workflowId: ID, $status: [RunStatus!], $labels: JSON, $trigger: TriggerFilter) {
  runs(first: $first, workflowId: $workflowId, status: $status, labels: $labels, trigger: $trigger) {
    totalCount edges { node { ${RUN_VIEW} } } }
}`;
type Answer = { runs: { totalCount: number; edges: { node: RunView }[] } };

export async function listRuns(options: RunListOptions & { url: string }): Promise<number> {
  const { runs } = await createGatewayClient(options.url)<Answer>(LIST, {
    first: options.first ?? 20,
    workflowId: options.workflow,
    status: options.status,
    labels: options.label,
    trigger: triggerOf(options.trigger),
  });
  const found = runs.edges.map(({ node }) => node);
  if (options.json) {
    printJson(found);
    return 0;
  }
  const rows = found.map((run) => [
    run.id,
    `${run.workflow.id} v${run.workflow.version}`,
    statusOf(run),
    run.startedAt,
    Object.entries(run.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ]);
  printRows([['RUN', 'WORKFLOW', 'STATUS', 'SINCE', 'LABELS'], ...rows]);
  if (runs.totalCount > found.length) process.stdout.write(`${runs.totalCount} in all\n`);
  return 0;
}

/** `schedule:nightly`: the kind, and the id of one. */
function triggerOf(text: string | undefined): { kind: string; id?: string } | undefined {
  if (text === undefined) return undefined;
  const [kind = '', ...rest] = text.split(':');
  return { kind: kind.toUpperCase(), ...(rest.length > 0 ? { id: rest.join(':') } : {}) };
}
