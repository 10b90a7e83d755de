import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { foldRunEvent } from '../../domain/events/fold-run.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../../domain/identifiers.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { publishDefinition } from './definition-store.ts';
import { readRunEvents } from './event-store.ts';
import { type FeedEvent, type FeedPage, writeFeedPages } from './feed-store.ts';
import { createPool } from './pool.ts';
import { RUN_CHANGED_CHANNEL } from './read-models.ts';
import { loadRunFeed } from './run-feed.ts';
import { insertRun } from './run-store.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 8);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function insertedRun(): Promise<string> {
  const hash = definitionHash('0'.repeat(64));
  await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition: napping });
  const id = runId(uniqueName('run'));
  await insertRun(pool, {
    id,
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId(napping.name),
    version: 1,
    definitionHash: hash,
    input: null,
    idempotencyKey: null,
    createdAt: new Date(),
  });
  return id;
}

const napping: WorkflowDefinition = {
  name: 'napping',
  nodes: [
    { id: 'double', type: 'transform', config: { value: 'input.n * 2' } },
    { id: 'nap', type: 'delay', config: { durationMs: 10 } },
  ],
  edges: [{ from: 'double', to: 'nap' }],
};
const compiled = compileDefinition(napping);
const nap = { nodeId: 'nap', iteration: '1' };
const events: readonly FeedEvent[] = [
  { type: 'run.started', payload: { input: { n: 21 } } },
  { type: 'workflow_task.scheduled', payload: {} },
  { type: 'timer.started', payload: nap },
  { type: 'timer.fired', payload: nap },
  { type: 'run.completed', payload: { output: 'z'.repeat(20_000) } },
].map((event, index) => ({ ...event, version: index + 1, occurredAt: new Date(Date.UTC(2026, 10, 24) + index * 7) }));

async function wholePage(): Promise<FeedPage> {
  const state = events.reduce((before, event) => foldRunEvent(compiled, before, event), initialState(compiled));
  return {
    tenantId: DEFAULT_TENANT,
    runId: await insertedRun(),
    temporalRunId: 'link-1',
    sequenceBase: 0,
    expectedVersion: 0,
    events,
    token: new Uint8Array([1, 2, 3]),
    ended: true,
    state,
    changedNodes: state.nodes.map((node, ordinal) => ({ ordinal, node })),
    children: [],
  };
}

async function heads(): Promise<unknown> {
  const { rows } = await pool.query(
    `SELECT (SELECT head FROM tenant_heads WHERE tenant_id = $1) AS head,
            (SELECT count(*) FROM events) AS events, (SELECT max(position) FROM events) AS last`,
    [DEFAULT_TENANT],
  );
  return rows[0];
}

describe('writing pages of the feed', () => {
  it('stores a page once: the same page again, alone or at the same time, changes nothing', async () => {
    const page = await wholePage();
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => writeFeedPages(pool, [page])));
    expect(outcomes.filter((stale) => stale.size === 0)).toHaveLength(1);
    const before = await heads();
    expect(await writeFeedPages(pool, [page])).toEqual(new Set([page.runId]));
    expect(await heads()).toEqual(before);
    expect(await readRunEvents(pool, page.runId, { first: 100 })).toHaveLength(page.events.length);
  });

  it('writes the good pages of a batch when another one is stale, without a gap in the positions', async () => {
    const stored = await wholePage();
    await writeFeedPages(pool, [stored]);
    const fresh = [await wholePage(), await wholePage()];
    expect(await writeFeedPages(pool, [fresh[0] as FeedPage, stored, fresh[1] as FeedPage])).toEqual(
      new Set([stored.runId]),
    );
    const { rows } = await pool.query('SELECT count(*) = max(position) AS dense FROM events WHERE tenant_id = $1', [
      DEFAULT_TENANT,
    ]);
    expect(rows).toEqual([{ dense: true }]);
  });

  it('lets a reader of the channel know which runs changed, in one message', async () => {
    const listener = await pool.connect();
    const messages: string[] = [];
    listener.on('notification', ({ payload }) => messages.push(payload ?? ''));
    await listener.query(`LISTEN ${RUN_CHANGED_CHANNEL}`);
    const pages = [await wholePage(), await wholePage()];
    await writeFeedPages(pool, pages);
    await listener.query('SELECT 1');
    expect(messages.map((message) => message.split(' ').toSorted())).toEqual([
      pages.map((page) => page.runId).toSorted(),
    ]);
    listener.release(true);
  });

  it('gives a projector that knows nothing the state and the place to read on', async () => {
    const page = await wholePage();
    await writeFeedPages(pool, [page]);
    const seen: number[] = [];
    const feed = await loadRunFeed(pool, page.runId, ({ version }) => seen.push(version));
    expect(feed?.state).toEqual(page.state);
    expect(feed?.link).toMatchObject({
      temporalRunId: 'link-1',
      sequenceBase: 0,
      version: page.events.length,
      ended: true,
    });
    expect(Buffer.from(feed?.link?.token ?? [])).toEqual(Buffer.from([1, 2, 3]));
    expect(seen).toEqual(page.events.map(({ version }) => version));
    expect(await loadRunFeed(pool, 'nobody', () => undefined)).toBeUndefined();
  });
});
