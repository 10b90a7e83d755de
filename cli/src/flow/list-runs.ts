import type { RunListOptions } from '../flow-commands.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { printJson, printRows } from './print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from './run-view.ts';

const LIST = `query ($first: Int, $workflowId: ID, $status: [RunStatus!], $labels: JSON) {
  runs(first: $first, workflowId: $workflowId, status: $status, labels: $labels) {
    totalCount edges { node { ${RUN_VIEW} } } }
}`;
type Answer = { runs: { totalCount: number; edges: { node: RunView }[] } };

export async function listRuns(options: RunListOptions & { url: string }): Promise<number> {
  const { runs } = await createGatewayClient(options.url)<Answer>(LIST, {
    first: options.first ?? 20,
    workflowId: options.workflow,
    status: options.status,
    labels: options.label,
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
