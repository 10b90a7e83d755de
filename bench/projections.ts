import { createHash } from 'node:crypto';
import type pg from 'pg';
import { createCompiledDefinitions } from '../adapters/postgres/compiled-definitions.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { readTenantEvents } from '../adapters/postgres/event-store.ts';
import { type FeedEvent, type FeedPage, writeFeedPages } from '../adapters/postgres/feed-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { rebuildProjections } from '../adapters/postgres/rebuild-projections.ts';
import { ChangedExecutions } from '../domain/events/changed-executions.ts';
import { foldRunEvent } from '../domain/events/fold-run.ts';
import { DEFAULT_TENANT, definitionHash } from '../domain/identifiers.ts';
import { type CompiledDefinition, compileDefinition } from '../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { initialState, type RunState } from '../domain/runs/run-state.ts';
import { simulate } from '../domain/runs/simulate.ts';
import { createTestDatabase } from '../tests/servers.ts';
import startServers from '../tests/start-servers.ts';
import stopServers from '../tests/stop-servers.ts';
import { type BenchResult, compared, median } from './report.ts';

const FOLDED = 10_000;
const FOLDS = 30;
/** Until the machine has compiled what it runs. */
const WARM_UP = 10;
const STORED = Number(process.env['WEFT_BENCH_EVENTS'] ?? 1_000_000);
/** Nodes of a run: with workflow tasks about eight events each. */
const NODES = 12;
const PAGES = 100;
const READ = 2_000;

/** `WEFT_BENCH_EVENTS` says how many events are stored for the rebuild; default is a million. */
export async function projections(): Promise<BenchResult[]> {
  await startServers();
  const database = await createTestDatabase();
  const pool = createPool(database.url, 6);
  try {
    return [fold(), await rebuild(pool)];
  } finally {
    await pool.end();
    await database.drop();
    await stopServers();
  }
}

const BODY = { status: 200, headers: { 'content-type': 'application/json' }, body: { text: 'x'.repeat(300) } };

/** One run of about so many events: passes of a body of three calls. */
function fold(): BenchResult {
  const definition: WorkflowDefinition = {
    name: 'long',
    nodes: [
      { id: 'round', type: 'loop', config: { maximumIterations: Math.ceil(FOLDED / 9), onBound: 'route' } },
      ...['one', 'two', 'three'].map((id) => ({
        ...{ id, type: 'http' as const, parent: 'round', config: { url: 'https://shop.test/' } },
      })),
    ],
    edges: [],
  };
  const compiled = compileDefinition(definition);
  const { events } = simulate(compiled, { input: {}, results: () => ({ output: BODY }) });
  const stored = withTasks(events).slice(0, FOLDED);
  const text = JSON.stringify(stored);
  const parses: number[] = [];
  const folds: number[] = [];
  for (let round = -WARM_UP; round < FOLDS; round += 1) {
    const parse = timed(() => JSON.parse(text));
    const folded = timed(() => foldAll(compiled, stored));
    if (round < 0) continue;
    parses.push(parse);
    folds.push(folded);
  }
  return compared({
    name: `fold of ${stored.length} events, beside JSON.parse of their ${Math.round(text.length / 1_024)} KB`,
    ...{ unit: 'ms', value: median(folds), baseline: median(parses), goal: { atMost: 3 } },
  });
}

function foldAll(compiled: CompiledDefinition, stored: readonly FeedEvent[]): RunState {
  let state = initialState(compiled);
  for (const event of stored) state = foldRunEvent(compiled, state, event);
  return state;
}

async function rebuild(pool: pg.Pool): Promise<BenchResult> {
  const events = await storeRuns(pool);
  await pool.query('VACUUM ANALYZE events, event_streams, runs, node_executions').catch(() => undefined);
  const reads: number[] = [];
  const rebuilds: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    reads.push(await timedAsync(() => readAll(pool, events)));
    rebuilds.push(await timedAsync(() => rebuildProjections(pool)));
  }
  return compared({
    name: `rebuild of ${events} events of runs, beside reading them`,
    ...{ unit: 'events/s', goal: { atLeast: 0.5 } },
    ...{ value: (events / Math.min(...rebuilds)) * 1_000, baseline: (events / Math.min(...reads)) * 1_000 },
  });
}

async function readAll(pool: pg.Pool, expected: number): Promise<void> {
  let events = 0;
  for (let after = 0n; ;) {
    const page = await readTenantEvents(pool, { tenantId: DEFAULT_TENANT, after, first: READ });
    events += page.length;
    if (page.length < READ) break;
    after = page.at(-1)?.position ?? after;
  }
  // That the definition was published is one more.
  if (events !== expected + 1) throw new Error(`${events} events were read, not ${expected + 1}`);
}

/** Runs of one definition, stored as the feed stores them. */
export async function storeRuns(pool: pg.Pool): Promise<number> {
  const ids = Array.from({ length: NODES }, (_, index) => `n${index}`);
  const definition: WorkflowDefinition = {
    name: 'chain',
    nodes: ids.map((id) => ({ id, type: 'http' as const, config: { url: 'https://shop.test/' } })),
    edges: ids.slice(1).map((to, index) => ({ from: ids[index] as string, to })),
  };
  const hash = definitionHash(createHash('sha256').update('chain').digest('hex'));
  const { version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  const compiled = await createCompiledDefinitions(pool).read(hash);
  const { events, state } = simulate(compiled, { input: { n: 1 }, results: () => ({ output: BODY }) });
  const stored = withTasks(events);
  const changed = new ChangedExecutions(compiled, null, initialState(compiled));
  changed.folded(state);
  const changedNodes = changed.all();
  const runs = Math.max(1, Math.round(STORED / stored.length));
  for (let start = 0; start < runs; start += PAGES) {
    const names = Array.from({ length: Math.min(PAGES, runs - start) }, (_, index) => `bench-${start + index}`);
    await pool.query(
      `INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, created_at)
       SELECT id, $2, 'chain', $3, $4, '{"n":1}', now() FROM unnest($1::text[]) AS id`,
      [names, DEFAULT_TENANT, version, hash],
    );
    const pages = names.map((runId): FeedPage => ({
      ...{ tenantId: DEFAULT_TENANT, runId, temporalRunId: 'link', sequenceBase: 0, expectedVersion: 0 },
      ...{ events: stored, token: null, ended: true, state, changedNodes, children: [] },
    }));
    await writeFeedPages(pool, pages);
  }
  return runs * stored.length;
}

/** As in Temporal's histories, a workflow task goes before what each step commands. */
function withTasks(events: readonly { type: string; at: number }[]): FeedEvent[] {
  const all: Omit<FeedEvent, 'version'>[] = [];
  for (const { type, at, ...payload } of events) {
    const occurredAt = new Date(at);
    all.push({ type, occurredAt, payload });
    if (type === 'run.started' || type === 'node.completed') {
      for (const step of ['scheduled', 'started', 'completed'])
        all.push({ type: `workflow_task.${step}`, occurredAt, payload: {} });
    }
  }
  return all.map((event, index) => ({ ...event, version: index + 1 }));
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
