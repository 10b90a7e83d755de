import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createCompiledDefinitions } from '../adapters/postgres/compiled-definitions.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { loadRunFeed, type RunFeed } from '../adapters/postgres/run-feed.ts';
import { readSnapshot } from '../adapters/postgres/run-snapshots.ts';
import { readRunStateAt, readStateOf } from '../adapters/postgres/run-state-at.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { JsonObject } from '../domain/json.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { simulate } from '../domain/runs/simulate.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../tests/servers.ts';
import { createProjectorMetrics } from './projector-metrics.ts';
import { createProjectorWriter } from './projector-writer.ts';
import { createSnapshotWriter } from './snapshot-writer.ts';

const NEVER = { events: Infinity, bytes: Infinity, ageMs: Infinity };
const PAGE = 30;
const definition: WorkflowDefinition = {
  name: 'rounds',
  nodes: [
    { id: 'round', type: 'loop', config: { maximumIterations: 40, onBound: 'route' } },
    { id: 'call', type: 'http', parent: 'round', config: { url: 'https://shop.test/' } },
  ],
  edges: [],
};

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 4);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

describe('the projector keeps states of a run', () => {
  it('as it moves, and each is the state that all events up to there give', async () => {
    const id = runId(uniqueName('run'));
    const hash = definitionHash(createHash('sha256').update(canonicalJson(definition)).digest('hex'));
    const { version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
    await insertRun(pool, {
      ...{ id, tenantId: DEFAULT_TENANT, workflowId: workflowId('rounds'), version, definitionHash: hash, input: {} },
      ...{ idempotencyKey: null, createdAt: new Date() },
    });
    const feed = (await loadRunFeed(pool, id, () => undefined)) as RunFeed;
    const { events } = simulate(feed.compiled, { input: {}, results: () => ({ output: { status: 200, body: 'ok' } }) });
    const stored = events.map(({ type, at, ...payload }, index) => ({
      ...{ version: index + 1, type, occurredAt: new Date(at), payload: payload as JsonObject },
    }));
    const snapshots = createSnapshotWriter(pool, {
      ...{ policy: { ...NEVER, events: 50 }, retention: { keep: null, maxAgeMs: null } },
      log: pino({ level: 'silent' }),
    });
    const writer = createProjectorWriter(pool, createProjectorMetrics(new Registry()), snapshots.moved);
    for (let start = 0; start < stored.length; start += PAGE) {
      const page = { temporalRunId: 'link', events: stored.slice(start, start + PAGE), token: null, late: false };
      await writer.write(feed, { ...page, ended: start + PAGE >= stored.length });
    }
    await snapshots.stop();
    const { rows } = await pool.query<{ sequence: number }>('SELECT sequence FROM run_snapshots ORDER BY 1');
    expect(rows.length).toBeGreaterThan(0);
    const all = await Promise.all(rows.map(({ sequence }) => readSnapshot(pool, id, sequence)));
    await pool.query('DELETE FROM run_snapshots');
    for (const [index, kept] of all.entries()) {
      const sequence = rows[index]?.sequence ?? 0;
      expect(kept).toMatchObject({ sequence, definitionHash: hash });
      const folded = await readStateOf(pool, id, createCompiledDefinitions(pool), sequence, { snapshots: NEVER });
      expect(kept?.state).toEqual(folded.state);
    }
    expect(await readRunStateAt(pool, id, stored.length)).toMatchObject({ status: 'COMPLETED' });
  });
});
