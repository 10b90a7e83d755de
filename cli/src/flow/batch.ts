import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchStartOptions } from '../flow-commands.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { parseNodeMapping } from '../node-mapping.ts';
import { printJson, printRows } from './print-rows.ts';

const VIEW = `id operation status reason dryRun createdBy total done failed createdAt closedAt
  errors(first: 20) { runId code message }`;
type Batch = {
  id: string;
  operation: string;
  status: string;
  reason: string | null;
  dryRun: boolean;
  createdBy: string | null;
  total: number;
  done: number;
  failed: number;
  createdAt: string;
  closedAt: string | null;
  errors: { runId: string; code: string; message: string }[];
};
type Shared = { url: string; json?: boolean };

const POLL_MS = 500;
const START = `mutation ($operation: BatchOperation!, $filter: BatchFilter!, $migration: BatchMigration, $reason: String, $dryRun: Boolean) {
  startBatch(operation: $operation, filter: $filter, migration: $migration, reason: $reason, dryRun: $dryRun) { ${VIEW} }
}`;

/** Gives the exit code: 1 when it was waited for and could not be done to some of the runs. */
export async function startBatch(operation: string, options: BatchStartOptions & { url: string }): Promise<number> {
  const { startBatch: started } = await createGatewayClient(options.url)<{ startBatch: Batch }>(START, {
    operation: operation.toUpperCase(),
    filter: {
      workflowId: options.workflow,
      status: options.status,
      labels: options.label,
      createdAfter: options.since,
      createdBefore: options.until,
    },
    ...(operation === 'migrate'
      ? { migration: { toVersion: options.to, mapping: parseNodeMapping(options.map) } }
      : {}),
    reason: options.reason,
    dryRun: options.dryRun ?? false,
  });
  const batch = options.wait ? await untilEnded(started, options) : started;
  print(batch, options);
  return options.wait && batch.failed > 0 ? 1 : 0;
}

export async function showBatch(id: string, options: Shared): Promise<number> {
  const batch = await read(id, options.url);
  if (batch === null) {
    process.stderr.write(`there is no batch ${id}\n`);
    return 1;
  }
  print(batch, options);
  return 0;
}

export async function cancelBatch(id: string, options: Shared): Promise<number> {
  const { cancelBatch: batch } = await createGatewayClient(options.url)<{ cancelBatch: Batch }>(
    `mutation ($id: ID!) { cancelBatch(id: $id) { ${VIEW} } }`,
    { id },
  );
  print(batch, options);
  return 0;
}

export async function listBatches({ url, json }: Shared): Promise<number> {
  const { batches } = await createGatewayClient(url)<{ batches: { edges: { node: Batch }[] } }>(
    `{ batches(first: 50) { edges { node { ${VIEW} } } } }`,
  );
  const found = batches.edges.map(({ node }) => node);
  if (json) printJson(found);
  else printRows([['BATCH', 'OPERATION', 'STATUS', 'DONE', 'FAILED', 'TOTAL', 'REASON'], ...found.map(rowOf)]);
  return 0;
}

async function untilEnded(started: Batch, { url, json }: Shared): Promise<Batch> {
  let batch = started;
  while (batch.status === 'RUNNING') {
    if (!json) process.stderr.write(`${batch.done + batch.failed} of ${batch.total}\n`);
    await sleep(POLL_MS);
    batch = (await read(batch.id, url)) ?? batch;
  }
  return batch;
}

async function read(id: string, url: string): Promise<Batch | null> {
  const answer = await createGatewayClient(url)<{ batch: Batch | null }>(
    `query ($id: ID!) { batch(id: $id) { ${VIEW} } }`,
    { id },
  );
  return answer.batch;
}

const rowOf = (batch: Batch): string[] => [
  batch.id,
  batch.operation,
  batch.dryRun ? 'DRY RUN' : batch.status,
  String(batch.done),
  String(batch.failed),
  String(batch.total),
  batch.reason ?? '',
];

function print(batch: Batch, { json }: { json?: boolean }): void {
  if (json) {
    printJson(batch);
    return;
  }
  printRows([['BATCH', 'OPERATION', 'STATUS', 'DONE', 'FAILED', 'TOTAL', 'REASON'], rowOf(batch)]);
  for (const { runId, code, message } of batch.errors) process.stdout.write(`${runId}  ${code}: ${message}\n`);
}
