import { printJson, printRows } from '../flow/print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from '../flow/run-view.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { SearchOptions } from '../insight-commands.ts';

const SEARCH = `query ($query: String, $labels: JSON, $status: [RunStatus!], $workflow: ID, $from: DateTime, $to: DateTime,
    $first: Int, $offset: Int) {
  searchRuns(query: $query, labels: $labels, status: $status, workflow: $workflow, from: $from, to: $to, first: $first,
    offset: $offset) { totalCount hits { rank run { ${RUN_VIEW} } } }
}`;
type Answer = { searchRuns: { totalCount: number; hits: { rank: number; run: RunView }[] } };

export async function searchRuns(query: string, options: SearchOptions & { url: string }): Promise<number> {
  const { searchRuns: found } = await createGatewayClient(options.url)<Answer>(SEARCH, {
    query,
    labels: options.label,
    status: options.status,
    workflow: options.workflow,
    from: options.since,
    to: options.until,
    first: options.first ?? 20,
    offset: options.offset ?? 0,
  });
  if (options.json) {
    printJson(found);
    return 0;
  }
  const rows = found.hits.map(({ rank, run }) => [
    rank.toFixed(2),
    run.id,
    `${run.workflow.id} v${run.workflow.version}`,
    statusOf(run),
    run.startedAt,
  ]);
  printRows([['RANK', 'RUN', 'WORKFLOW', 'STATUS', 'SINCE'], ...rows]);
  if (found.totalCount > found.hits.length) process.stdout.write(`${found.totalCount} in all\n`);
  return 0;
}
