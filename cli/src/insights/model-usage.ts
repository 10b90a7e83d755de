import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { UsageOptions } from '../insight-commands.ts';
import { csvLine } from './figures.ts';

const DIMENSIONS = { day: 'day', workflow: 'workflowId', provider: 'provider', model: 'model', user: 'user' } as const;
const FIGURES = [
  ...['calls', 'failures', 'unpriced', 'inputTokens', 'outputTokens', 'cachedInputTokens', 'reasoningTokens'],
  ...['costMicroUsd', 'meanMs'],
];
const USAGE = `query ($workflow: ID, $from: DateTime, $to: DateTime, $by: [UsageDimension!]) {
  modelUsage(workflow: $workflow, from: $from, to: $to, by: $by) {
    ${Object.values(DIMENSIONS).join(' ')} ${FIGURES.join(' ')}
  }
}`;
type Usage = Record<string, string | number | null>;

export async function modelUsage(by: readonly string[], options: UsageOptions & { url: string }): Promise<number> {
  const chosen = by.length === 0 ? Object.keys(DIMENSIONS) : by;
  const { modelUsage: usage } = await createGatewayClient(options.url)<{ modelUsage: Usage[] }>(USAGE, {
    workflow: options.workflow,
    from: options.since,
    to: options.until,
    by: chosen.map((name) => name.toUpperCase()),
  });
  const columns = Object.entries(DIMENSIONS).flatMap(([name, column]) => (chosen.includes(name) ? [column] : []));
  if (options.json) printJson(usage);
  else if (options.csv) printCsv([...columns, ...FIGURES], usage);
  else printTable(columns, usage);
  return 0;
}

function printCsv(columns: readonly string[], usage: readonly Usage[]): void {
  const lines = [columns, ...usage.map((row) => columns.map((column) => row[column] ?? null))];
  process.stdout.write(lines.map((cells) => `${csvLine(cells)}\r\n`).join(''));
}

function printTable(columns: readonly string[], usage: readonly Usage[]): void {
  const rows = usage.map((row) => [
    ...columns.map((column) => String(row[column] ?? '')),
    ...['calls', 'failures', 'inputTokens', 'outputTokens'].map((name) => String(row[name])),
    `$${(Number(row['costMicroUsd']) / 1e6).toFixed(4)}${Number(row['unpriced']) > 0 ? ` + ${row['unpriced']} calls of unknown price` : ''}`,
  ]);
  const heads = columns.map((column) => column.replace('Id', '').toUpperCase());
  printRows([[...heads, 'CALLS', 'FAILED', 'TOKENS IN', 'TOKENS OUT', 'COST'], ...rows]);
}
