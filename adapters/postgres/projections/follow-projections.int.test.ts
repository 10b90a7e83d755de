import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import type { NewEvent } from '../../../domain/events/stored-event.ts';
import { DEFAULT_TENANT, tenantId } from '../../../domain/identifiers.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { randomRun } from '../../../tests/random-definition.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../../tests/servers.ts';
import { storeRun } from '../../../tests/stored-runs.ts';
import { createFolderFiles } from '../../archive/folder-files.ts';
import { createKeyWrap } from '../../encryption/key-wrap.ts';
import { archiveEvents } from '../archive-events.ts';
import { eraseValues } from '../erase-values.ts';
import { appendEvents } from '../event-store.ts';
import { createPool } from '../pool.ts';
import { type Rebuilt, rebuildProjections } from '../rebuild-projections.ts';
import { ALL_PROJECTIONS } from './all-projections.ts';
import { followProjections } from './follow-projections.ts';
import {
  listProjections,
  registerProjections,
  requestRebuild,
  startProjection,
  stopProjection,
} from './projection-store.ts';
import { passOver } from './pass-over.ts';
import type { Projection } from './projection.ts';

const FOLLOWER = join(import.meta.dirname, '../../../tests/crash/projection-follower.ts');
const OTHER_TENANT = tenantId('other');
const NAMES = ALL_PROJECTIONS.map(({ name }) => name);
const TABLES = ALL_PROJECTIONS.flatMap(({ tables }) => tables);

let database: TestDatabase;
let pool: pg.Pool;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  database = await createTestDatabase();
  pool = createPool(database.url, 12);
  await registerProjections(pool, ALL_PROJECTIONS);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await pool?.end();
  await database?.drop();
});

const rethrow = (error: unknown) => {
  throw error;
};
async function untilIdle(projections: readonly Projection[] = ALL_PROJECTIONS): Promise<void> {
  while (await followProjections(pool, projections, rethrow));
}

async function stored(count: number, seed = 1): Promise<void> {
  const runs = fc.sample(randomRun({ maxNodes: 8 }), { numRuns: count, seed });
  for (const [index, run] of runs.entries()) {
    const tenant = index % 3 === 2 ? OTHER_TENANT : DEFAULT_TENANT;
    const id = await storeRun(pool, run, { tenantId: tenant, labels: { team: `team-${index % 2}` }, cutEvery: 3 });
    await called(tenant, id, index);
  }
}

async function called(tenant: string, id: string, index: number): Promise<void> {
  const payload: JsonObject = {
    ...{ runId: id, nodeId: 'n1', iteration: '1', attempt: 1, provider: 'openai', model: `m${index % 2}` },
    ...{
      promptHash: 'x',
      inputTokens: index,
      outputTokens: 2 * index,
      costMicroUsd: index === 3 ? null : 7,
      finishReason: 'stop',
    },
    ...{ outcome: index % 4 === 3 ? 'FAILED' : 'OK', durationMs: index * 10 },
    ...{ error: index % 4 === 3 ? { code: 'MODEL_UNAVAILABLE', message: `no answer ${index}` } : null },
  };
  await append(tenant, `model/${id}`, 'model.called', payload);
}

async function append(tenant: string, streamId: string, type: string, payload: JsonObject, copies = 1): Promise<void> {
  const event = (): NewEvent => ({
    ...{ eventId: uniqueName('event'), type, schemaVersion: 1, occurredAt: new Date('2026-03-01T10:00:00Z') },
    ...{ correlationId: null, causationId: null, payload },
  });
  await appendEvents(pool, {
    tenantId: tenant,
    streamId,
    expectedVersion: 'any',
    events: Array.from({ length: copies }, event),
  });
}

async function contents(tables: readonly string[] = TABLES): Promise<Record<string, string[]>> {
  const read = async (table: string) => {
    const { rows } = await pool.query<{ row: string }>(`SELECT row(held.*)::text AS row FROM ${table} held ORDER BY 1`);
    return [table, rows.map(({ row }) => row)] as const;
  };
  return Object.fromEntries(await Promise.all(tables.map(read)));
}

const statuses = async () => new Map((await listProjections(pool, DEFAULT_TENANT)).map((one) => [one.name, one]));
const count = async (table: string) => Number((await pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

async function follower(...parts: string[]): Promise<ChildProcess> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [FOLLOWER, database.url, ...parts], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('projections', () => {
  it('are built beside the empty tables, then follow, and have no lag at the end', async () => {
    await stored(6);
    expect((await statuses()).get('run-search')).toMatchObject({ state: 'BUILDING', version: 0, position: 0 });
    await untilIdle();
    const first = await statuses();
    for (const name of NAMES)
      expect(first.get(name)).toMatchObject({ state: 'ACTIVE', version: 1, lagEvents: 0, lagMs: 0, error: null });
    expect(await count('run_search')).toBe(6);
    await stored(3, 2);
    expect((await statuses()).get('run-search')?.lagEvents).toBeGreaterThan(0);
    await untilIdle();
    expect(await count('run_search')).toBe(9);
    for (const table of TABLES) if (table !== 'audit_trail') expect(await count(table)).toBeGreaterThan(0);
  });

  it('come out row by row the same when they are built again, with other batches, while runs come in', async () => {
    await stored(10);
    await untilIdle();
    for (const name of NAMES) await requestRebuild(pool, name);
    expect((await statuses()).get('node-stats')).toMatchObject({ state: 'REBUILDING' });
    const rows = await count('run_search');
    const seen: number[] = [];
    const more = stored(8, 3);
    for (let round = 0; round < 400; round += 1) {
      await followProjections(pool, ALL_PROJECTIONS, rethrow, { live: 40, build: 7 });
      seen.push(await count('run_search'));
      if ([...(await statuses()).values()].every(({ rebuild }) => rebuild === null)) break;
    }
    await more;
    await untilIdle();
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(rows);
    expect(await count('run_search')).toBe(18);
    const live = await contents();
    for (const name of NAMES) await requestRebuild(pool, name);
    await untilIdle();
    expect(await contents()).toEqual(live);
    for (const name of NAMES) expect((await statuses()).get(name)).toMatchObject({ state: 'ACTIVE', rebuild: null });
  }, 120_000);

  it('whose rows somebody changed or removed are right again when they are built again', async () => {
    await stored(5);
    await untilIdle();
    const right = await contents();
    await pool.query(`UPDATE node_stats SET completed = completed + 7`);
    await pool.query('DELETE FROM run_search');
    await pool.query(`UPDATE model_usage SET input_tokens = 0`);
    expect(await contents()).not.toEqual(right);
    for (const name of NAMES) await requestRebuild(pool, name);
    await untilIdle();
    expect(await contents()).toEqual(right);
  });

  it('take each event in once when any number of followers work at once', async () => {
    await stored(6);
    await Promise.all([untilIdle(), untilIdle(), untilIdle()]);
    await untilIdle();
    const together = await contents();
    for (const name of NAMES) await requestRebuild(pool, name);
    await untilIdle();
    expect(await contents()).toEqual(together);
  });

  it('come out the same from events that are archived', async () => {
    await stored(8);
    await untilIdle();
    const before = await contents();
    const folder = await mkdtemp(join(tmpdir(), 'weft-archive-'));
    const storage = { cipher: null, bodies: null, writesTo: 'table' as const, archive: createFolderFiles(folder) };
    const archiving = createPool(database.url, 6, storage);
    try {
      const closedBefore = new Date(Date.now() + 60_000);
      expect((await archiveEvents(archiving, { closedBefore }))?.events).toBeGreaterThan(50);
      for (const name of NAMES) await requestRebuild(pool, name);
      while (await followProjections(archiving, ALL_PROJECTIONS, rethrow));
      expect(await contents()).toEqual(before);
    } finally {
      await archiving.end();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('pass over what is none of their types, but never over what is in an archive', async () => {
    await stored(3);
    await untilIdle();
    await append(DEFAULT_TENANT, 'definition/shop', 'definition.published', { by: 'ann' }, 40);
    const names = ['projection/model-usage/1', 'projection/audit-trail/1'];
    expect(await passOver(pool, names, 39)).toBe(0);
    expect(await passOver(pool, names, 40)).toBe(1);
    expect((await statuses()).get('model-usage')).toMatchObject({ lagEvents: 0 });
    expect((await statuses()).get('audit-trail')).toMatchObject({ lagEvents: 40 });
    await pool.query(`UPDATE subscription_partitions SET position = 0 WHERE tenant_id = $1`, [OTHER_TENANT]);
    await pool.query(`UPDATE tenant_heads SET head = head + 1 WHERE tenant_id = $1`, [OTHER_TENANT]);
    expect(await passOver(pool, ['projection/model-usage/1'], 10_000)).toBe(0);
  });

  it('forget what is erased, and a build that still knows it begins anew', async () => {
    const sealing = createPool(database.url, 6, {
      ...{ cipher: null, bodies: null, writesTo: 'table' as const, keyWrap: createKeyWrap(['s'.repeat(40)]) },
    });
    const follow = (batch = { live: 500, build: 5_000 }) => followProjections(sealing, ALL_PROJECTIONS, rethrow, batch);
    try {
      const [run] = fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 1, seed: 4 });
      const id = await storeRun(sealing, run as never, { subject: 'ada', input: { text: 'plughxyzzy' } });
      await append(DEFAULT_TENANT, 'definition/shop', 'definition.published', { by: 'ann' });
      while (await follow());
      const words = async (schema = '') =>
        Number(
          (await pool.query(`SELECT count(*) FROM ${schema}run_search WHERE document @@ 'plughxyzzy'`)).rows[0].count,
        );
      expect(await words()).toBe(1);
      await requestRebuild(pool, 'run-search');
      await pool.query(`UPDATE runs SET closed_at = now() WHERE id = $1`, [id]);
      // Events enough that the build has not come to its end when it is looked at.
      await append(DEFAULT_TENANT, 'tool/busy', 'tool.called', TOOL, 5_500);
      await follow({ live: 6_000, build: 60 });
      expect(await words('weft_build_run_search.')).toBe(1);
      await eraseValues(sealing, { tenantId: DEFAULT_TENANT, subject: 'ada' });
      expect(await words()).toBe(0);
      while (await follow());
      expect(await words()).toBe(0);
      expect((await statuses()).get('run-search')).toMatchObject({ state: 'ACTIVE', rebuild: null, lagEvents: 0 });
      expect(await count(`subscriptions WHERE name LIKE 'projection/run-search/%' AND tenant_id = 'default'`)).toBe(1);
    } finally {
      await sealing.end();
    }
  }, 60_000);

  it('go on where a killed process was, and lose and double nothing', async () => {
    await stored(6);
    await untilIdle();
    for (let index = 0; index < 4; index += 1) await append(DEFAULT_TENANT, `tool/${index}`, 'tool.called', TOOL, 150);
    await untilIdle();
    const before = await contents();
    for (const name of NAMES) await requestRebuild(pool, name);
    const reached: number[] = [];
    for (let kills = 0; kills < 3; kills += 1) {
      const process = await follower();
      const start = reached.at(-1) ?? 0;
      const done = async () => (await statuses()).get('service-health')?.rebuild?.done ?? Infinity;
      while ((await done()) < start + 60) await sleep(5);
      await killed(process);
      reached.push(await done());
    }
    expect(reached).toEqual(reached.toSorted((left, right) => left - right));
    expect(reached.at(-1)).toBeLessThan(600);
    await untilIdle();
    expect(await contents()).toEqual(before);
    expect((await statuses()).get('service-health')).toMatchObject({ state: 'ACTIVE', rebuild: null });
  }, 120_000);

  it('that cannot take an event in fail alone, say why, stand still, and go on once they can', async () => {
    let broken = true;
    const fussy: Projection = {
      ...(ALL_PROJECTIONS.find(({ name }) => name === 'audit-trail') as Projection),
      apply: async () => {
        if (broken) throw new Error('the sky is falling');
      },
    };
    const projections = [...ALL_PROJECTIONS.filter(({ name }) => name !== 'audit-trail'), fussy];
    await untilIdle();
    await append(DEFAULT_TENANT, 'definition/shop', 'definition.published', { by: 'ann' });
    const told: string[] = [];
    while (await followProjections(pool, projections, (_, name) => told.push(name)));
    expect(told).toEqual(['audit-trail']);
    const failed = (await statuses()).get('audit-trail');
    expect(failed).toMatchObject({ state: 'FAILED', lagEvents: 1, error: { message: 'the sky is falling' } });
    expect((await statuses()).get('run-search')).toMatchObject({ state: 'ACTIVE', lagEvents: 0 });
    broken = false;
    await startProjection(pool, 'audit-trail');
    await untilIdle(projections);
    expect((await statuses()).get('audit-trail')).toMatchObject({ state: 'ACTIVE', lagEvents: 0, error: null });
  });

  it('stand still while they are stopped', async () => {
    await untilIdle();
    await stopProjection(pool, 'model-usage');
    await stored(3);
    await untilIdle();
    expect(await count('model_usage')).toBe(0);
    expect((await statuses()).get('model-usage')).toMatchObject({ state: 'STOPPED' });
    expect((await statuses()).get('model-usage')?.lagEvents).toBeGreaterThan(0);
    await startProjection(pool, 'model-usage');
    await untilIdle();
    expect(await count('model_usage')).toBeGreaterThan(0);
    await expect(stopProjection(pool, 'runs')).rejects.toThrow(/cannot be stopped/);
    await expect(stopProjection(pool, 'nothing')).rejects.toThrow(/not found/);
  });

  it('are built again by newer code, while older code goes on with the old one, and never by older code', async () => {
    await stored(3);
    await untilIdle();
    const newer = ALL_PROJECTIONS.map((one) => ({ ...one, version: 2 }));
    await registerProjections(pool, newer);
    expect((await statuses()).get('run-search')).toMatchObject({ state: 'REBUILDING', rebuild: { version: 2 } });
    await stored(2, 5);
    await untilIdle();
    expect((await statuses()).get('run-search')).toMatchObject({ version: 1, lagEvents: 0 });
    expect(await count('run_search')).toBe(5);
    await untilIdle(newer);
    expect((await statuses()).get('run-search')).toMatchObject({ version: 2, state: 'ACTIVE', rebuild: null });
    await registerProjections(pool, ALL_PROJECTIONS);
    await stored(1, 6);
    await untilIdle();
    expect((await statuses()).get('run-search')).toMatchObject({ version: 2, rebuild: null });
    await untilIdle(newer);
    expect(await count('run_search')).toBe(6);
  });
});

describe('the runs and their nodes', () => {
  it('are built again after kills from where they were, row by row the same', async () => {
    await stored(20);
    const [definition] = fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 1, seed: 9 });
    for (let index = 0; index < 200; index += 1) await storeRun(pool, definition as never);
    const columns =
      'run_id, node_id, iteration, ordinal, type, status, attempts, input, output, error, started_at, closed_at, port, handled';
    const tables = ['runs', `(SELECT ${columns} FROM node_executions)`];
    const before = await contents(tables);
    await requestRebuild(pool, 'runs');
    for (let kills = 0; kills < 2; kills += 1) {
      const process = await follower('runs');
      await once(process.stdout as NodeJS.ReadableStream, 'data');
      await killed(process);
    }
    let rebuilt: Rebuilt | null = null;
    for (; rebuilt === null; await sleep(20)) rebuilt = await rebuildProjections(pool);
    expect(rebuilt.runs).toBeLessThan(200);
    expect(await contents(tables)).toEqual(before);
    expect((await statuses()).get('runs')).toMatchObject({ rebuild: null, lagEvents: 0 });
  }, 120_000);
});

const TOOL: JsonObject = {
  ...{
    runId: null,
    nodeId: null,
    iteration: null,
    attempt: null,
    kind: 'http',
    tool: 'GET shop.test',
    requestHash: 'x',
  },
  ...{ outcome: 'OK', error: null, durationMs: 12 },
};
