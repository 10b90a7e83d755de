import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { NodeStatsOptions } from '../insight-commands.ts';
import { duration } from './figures.ts';

const STATS = `query ($workflow: ID!, $version: Int, $from: DateTime, $to: DateTime) {
  nodeStats(workflow: $workflow, version: $version, from: $from, to: $to) {
    version nodeId type executions completed failed cancelled skipped retries meanMs p50Ms p95Ms p99Ms longestMs
    lastError { code message at runId }
  }
}`;
type NodeStats = {
  version: number;
  nodeId: string;
  type: string;
  executions: number;
  failed: number;
  retries: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  lastError: { code: string; message: string; at: string; runId: string } | null;
};

export async function nodeStats(workflow: string, options: NodeStatsOptions & { url: string }): Promise<number> {
  const { nodeStats: stats } = await createGatewayClient(options.url)<{ nodeStats: NodeStats[] }>(STATS, {
    workflow,
    version: options.version,
    from: options.since,
    to: options.until,
  });
  if (options.json) {
    printJson(stats);
    return 0;
  }
  const rows = stats.map((one) => [
    `v${one.version}`,
    one.nodeId,
    one.type,
    ...[one.executions, one.failed, one.retries].map(String),
    ...[one.p50Ms, one.p95Ms, one.p99Ms].map(duration),
    one.lastError === null ? '' : `${one.lastError.code} (${one.lastError.runId})`,
  ]);
  printRows([['VERSION', 'NODE', 'TYPE', 'RAN', 'FAILED', 'RETRIES', 'P50', 'P95', 'P99', 'LAST ERROR'], ...rows]);
  return 0;
}
