import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../domain/json.ts';
import { ROOT } from '../source-files.ts';
import type { Play } from './play-example.ts';
import type { Stack } from './stack.ts';

/** A run of an example that can be caught while one of its nodes is under way. */
export type Middle = {
  example: string;
  /** What is under way. */
  node: string;
  input?: JsonObject;
  /** Instead of that when it is cancelled: nothing else may end the wait first. */
  endless?: JsonObject;
  /** Calls that the shop keeps waiting; the run is in the middle when one of them is there. */
  hold?: string;
};

const DOCUMENT = readFileSync(join(ROOT, 'samples/documents/newton-opticks-queries.txt'), 'utf8').repeat(4);

/** Of a pending activity. */
const STARTED = 2;
/** For each type that waits or works, the first scenario of its example. */
export const MIDDLES: readonly Middle[] = [
  { example: 'delay', node: 'reflect', input: { patienceMs: 12_000 }, endless: { patienceMs: 3_600_000 } },
  {
    example: 'until',
    node: 'opening',
    input: { opensAt: '2026-05-01T09:00:02Z' },
    endless: { opensAt: '2026-05-01T19:00:00Z' },
  },
  { example: 'approval', node: 'ask' },
  { example: 'wait', node: 'payment', endless: { orderId: 'nobody pays' } },
  { example: 'webhook', node: 'arrived' },
  { example: 'map', node: 'reserve', hold: 'POST /reservations' },
  { example: 'loop', node: 'page', hold: 'GET /sales?day=2026-01-05&cursor=2' },
  { example: 'try', node: 'pay', hold: 'POST /charges' },
  { example: 'subworkflow', node: 'stock', hold: 'POST /reservations' },
  { example: 'http', node: 'reserve', hold: 'POST /reservations' },
  { example: 'on-error', node: 'charge', hold: 'POST /charges' },
  { example: 'undo', node: 'ship', hold: 'POST /parcels' },
  { example: 'fuse', node: 'tuesday', hold: 'GET /sales?day=2026-01-06' },
  { example: 'emit', node: 'announce' },
  { example: 'content-analyze', node: 'facts', input: { review: DOCUMENT } },
  { example: 'model-complete', node: 'gist', input: { review: DOCUMENT } },
];

/** Resolves when the node is under way: the shop has its call, the engine waits, or a worker has taken its task. */
export async function reachMiddle(stack: Stack, { node, hold }: Middle, { runId, shop }: Play): Promise<void> {
  if (hold !== undefined) return shop.reached;
  const handle = stack.temporal.client.workflow.getHandle(runId);
  for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
    const { status } = await stack.graphql.run(runId);
    if (status === 'WAITING') return;
    const { raw } = await handle.describe();
    if (raw.pendingActivities?.some((one) => one.activityId?.startsWith(node) && Number(one.state) === STARTED)) return;
    if (Date.now() > deadline) throw new Error(`${runId} is not in the middle: ${status}`);
  }
}

/** Keeps every `emit` from being done until it is let go. */
export async function holdEmits({ pool }: Stack): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE emitted_events IN EXCLUSIVE MODE');
  return async () => {
    await client.query('ROLLBACK');
    client.release();
  };
}
