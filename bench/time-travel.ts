/** `node cli/bootstrap.mjs bench/time-travel.ts [events]`: stateAt of a long run from snapshots, beside folding it all. */
import { createHash } from 'node:crypto';
import { createCompiledDefinitions } from '../adapters/postgres/compiled-definitions.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { type FeedEvent, writeFeedPages } from '../adapters/postgres/feed-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { readRunStateAt, readStateOf } from '../adapters/postgres/run-state-at.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import { compileDefinition } from '../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { simulate } from '../domain/runs/simulate.ts';
import { createTestDatabase } from '../tests/servers.ts';
import startServers from '../tests/start-servers.ts';
import stopServers from '../tests/stop-servers.ts';

const EVENTS = Number(process.argv[2] ?? 10_000);
/** Three nodes with two events each. */
const PASSES = Math.ceil(EVENTS / 6);
const READS = 200;
const FULL_FOLDS = 5;
const PAGE = 1_000;

/** Many passes of one body. */
const definition: WorkflowDefinition = {
  name: 'long',
  nodes: [
    { id: 'round', type: 'loop', config: { maximumIterations: PASSES, onBound: 'route' } },
    ...['one', 'two', 'three'].map((id) => ({
      ...{ id, type: 'http' as const, parent: 'round', config: { url: 'https://shop.test/' } },
    })),
  ],
  edges: [],
};

async function storeLongRun(pool: ReturnType<typeof createPool>): Promise<{ id: string; count: number }> {
  const compiled = compileDefinition(definition);
  const input = { note: 'x'.repeat(2_000) };
  const { events, state } = simulate(compiled, { input, results: () => ({ output: { status: 200, body: 'ok' } }) });
  const id = runId('long-run');
  const hash = definitionHash(createHash('sha256').update('long').digest('hex'));
  await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  await insertRun(pool, {
    ...{ id, tenantId: DEFAULT_TENANT, workflowId: workflowId('long'), version: 1, definitionHash: hash, input },
    ...{ idempotencyKey: null, createdAt: new Date() },
  });
  const stored: FeedEvent[] = events.map(({ type, at, ...payload }, index) => ({
    ...{ version: index + 1, type, occurredAt: new Date(at), payload: payload as FeedEvent['payload'] },
  }));
  for (let start = 0; start < stored.length; start += PAGE) {
    await writeFeedPages(pool, [
      {
        ...{ tenantId: DEFAULT_TENANT, runId: id, temporalRunId: 'link', sequenceBase: 0, expectedVersion: start },
        ...{
          events: stored.slice(start, start + PAGE),
          token: null,
          ended: true,
          state,
          changedNodes: [],
          children: [],
        },
      },
    ]);
  }
  return { id, count: stored.length };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const at = (sorted: readonly number[], part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;

await startServers();
const database = await createTestDatabase();
const pool = createPool(database.url, 4);
try {
  const { id, count } = await storeLongRun(pool);
  const full: number[] = [];
  for (let fold = 0; fold < FULL_FOLDS; fold += 1) {
    const never = { snapshots: { events: Infinity, bytes: Infinity, ageMs: Infinity } };
    full.push(await timed(() => readStateOf(pool, id, createCompiledDefinitions(pool), count, never)));
  }
  const first = await timed(() => readRunStateAt(pool, id, count));
  const reads: number[] = [];
  for (let read = 1; read <= READS; read += 1) {
    const sequence = 1 + ((read * 7_919) % count);
    reads.push(await timed(() => readRunStateAt(pool, id, sequence)));
  }
  const { rows } = await pool.query(
    'SELECT count(*)::int AS n, sum((state->>$1)::int)::int AS bytes FROM run_snapshots',
    ['bytes'],
  );
  const sorted = reads.toSorted((left, right) => left - right);
  const whole = at(
    full.toSorted((left, right) => left - right),
    0.5,
  );
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  process.stdout.write(
    [
      `run of ${count} events, ${rows[0].n} snapshots of ${rows[0].bytes} bytes together`,
      `whole fold                 ${ms(whole)} (median of ${FULL_FOLDS})`,
      `first read, with snapshots ${ms(first)}`,
      `stateAt, p50 and p99       ${ms(at(sorted, 0.5))}, ${ms(at(sorted, 0.99))} over ${READS} reads`,
      `ratio of p99 to whole fold ${(at(sorted, 0.99) / whole).toFixed(3)}`,
      '',
    ].join('\n'),
  );
} finally {
  await pool.end();
  await database.drop();
  await stopServers();
}
