import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { foldRunEvent } from '../../domain/events/fold-run.ts';
import type { SnapshotPolicy } from '../../domain/events/snapshot-meter.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { CompiledDefinition } from '../../domain/runs/compile.ts';
import type { RunEvent } from '../../domain/runs/run-event.ts';
import { initialState, type RunState } from '../../domain/runs/run-state.ts';
import { simulate } from '../../domain/runs/simulate.ts';
import { diffRun } from '../../domain/runs/time-travel/diff-run.ts';
import { RANDOM_INPUT, type RandomRun, randomRun } from '../../tests/random-definition.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { createCompiledDefinitions } from './compiled-definitions.ts';
import { publishDefinition } from './definition-store.ts';
import { type FeedEvent, writeFeedPages } from './feed-store.ts';
import { createPool } from './pool.ts';
import { readRunDiff } from './run-diff.ts';
import { deleteExpiredSnapshots, pruneSnapshots, readSnapshot, writeSnapshot } from './run-snapshots.ts';
import { readStateOf } from './run-state-at.ts';
import { insertRun } from './run-store.ts';

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
beforeEach(() => pool.query('DELETE FROM run_snapshots'));

type StoredRun = { id: string; compiled: CompiledDefinition; states: RunState[]; links: number };

/** A run of any definition, in as many links as it is cut into, and its state after every stored event. */
async function storedRun({ definition, outcomeOf }: RandomRun, cutEvery: number): Promise<StoredRun> {
  const id = runId(uniqueName('run'));
  const hash = definitionHash(createHash('sha256').update(canonicalJson(definition)).digest('hex'));
  const { version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  // As it is stored, where its fields have another order.
  const compiled = await createCompiledDefinitions(pool).read(hash);
  const { events } = simulate(compiled, {
    input: RANDOM_INPUT,
    results: (nodeId) => outcomeOf(nodeId),
    continueAsNew: (step) => step % cutEvery === 0,
  });
  await insertRun(pool, {
    ...{ id, tenantId: DEFAULT_TENANT, workflowId: workflowId(definition.name), version, definitionHash: hash },
    ...{ input: RANDOM_INPUT, idempotencyKey: null, createdAt: new Date() },
  });
  const states = [initialState(compiled)];
  let sequenceBase = 0;
  for (const [index, link] of linksOf(events).entries()) {
    for (const event of link) states.push(foldRunEvent(compiled, states.at(-1) as RunState, event));
    const state = states.at(-1) as RunState;
    await writeFeedPages(pool, [
      {
        ...{ tenantId: DEFAULT_TENANT, runId: id, temporalRunId: `link-${index}`, sequenceBase, expectedVersion: 0 },
        ...{ events: link, token: null, ended: true, state, changedNodes: [], children: [] },
      },
    ]);
    sequenceBase += link.length;
  }
  return { id, compiled, states, links: linksOf(events).length };
}

/** As Temporal's histories part them: each link but the first begins by saying that it continues another. */
function linksOf(events: readonly RunEvent[]): FeedEvent[][] {
  const links: FeedEvent[][] = [[]];
  for (const { type, at, ...payload } of events) {
    if (links.length > 1 && links.at(-1)?.length === 0) push(links, 'run.started', at, { input: null, continues: 'x' });
    push(links, type, at, payload as JsonObject);
    if (type === 'run.continued_as_new') links.push([]);
  }
  return links.filter((link) => link.length > 0);
}

function push(links: FeedEvent[][], type: string, at: number, payload: JsonObject): void {
  const link = links.at(-1) as FeedEvent[];
  link.push({ version: link.length + 1, type, occurredAt: new Date(at), payload });
}

const runs = fc.oneof(randomRun({ maxNodes: 10 }), randomRun({ maxNodes: 10, onNodeFailure: 'cancel' }));
const eachOf = (events: number) => ({ events, bytes: Infinity, ageMs: Infinity });
const read = async (id: string, sequence: number, snapshotEvery: number) =>
  (await readStateOf(pool, id, createCompiledDefinitions(pool), sequence, { snapshots: eachOf(snapshotEvery) })).state;

describe('snapshots', () => {
  it('and the events after them give what all events give, in any run, with bodies and over links', async () => {
    const seen = { chains: 0, bodies: 0 };
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 7 }),
        async (run, cut, every) => {
          const { id, states, links } = await storedRun(run, cut);
          const last = states.length - 1;
          seen.chains += Number(links > 1);
          seen.bodies += Number(states.some(({ scopes }) => Object.keys(scopes).length > 0));
          expect(await read(id, Infinity, every)).toEqual(states[last]);
          const { rows } = await pool.query('SELECT sequence FROM run_snapshots WHERE run_id = $1', [id]);
          expect(rows.length).toBe(Math.floor(last / every));
          for (let sequence = 0; sequence <= last; sequence += 1) {
            expect(await read(id, sequence, every)).toEqual(states[sequence]);
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(Math.min(seen.chains, seen.bodies)).toBeGreaterThan(0);
  }, 120_000);

  it('are read instead of the events before them', async () => {
    const { id, states } = await storedRun(aRun(), 4);
    const marked = { ...(states[3] as RunState), input: 'of the snapshot' };
    const { definitionHash: hash } = await readStateOf(pool, id, createCompiledDefinitions(pool), 1);
    expect(await writeSnapshot(pool, id, { sequence: 3, definitionHash: hash, state: marked })).toBe(true);
    expect((await read(id, 2, 500)).input).toEqual(RANDOM_INPUT);
    expect((await read(id, 4, 500)).input).toBe('of the snapshot');
  });

  it('of other code, or whose bytes are gone, do not count', async () => {
    const { id, states } = await storedRun(aRun(), 4);
    await read(id, Infinity, 2);
    await pool.query("UPDATE run_snapshots SET engine = 'another'");
    expect(await readSnapshot(pool, id, 1_000)).toBeNull();
    expect(await read(id, Infinity, 2)).toEqual(states.at(-1));
    expect(await readSnapshot(pool, id, 1_000)).not.toBeNull();
    await pool.query('DELETE FROM payloads');
    expect(await readSnapshot(pool, id, 1_000)).toBeNull();
    expect(await read(id, Infinity, 2)).toEqual(states.at(-1));
  });

  it('whose bytes somebody changed do not count, and the state is what the events give', async () => {
    const { id, states } = await storedRun(aRun(), 4);
    await read(id, Infinity, 2);
    const forged = deflateRawSync(JSON.stringify({ ...(states.at(-1) as RunState), output: 'forged' }));
    for (const bytes of [forged, Buffer.from('no deflate')]) {
      await pool.query('UPDATE payloads SET bytes = $1', [bytes]);
      expect(await readSnapshot(pool, id, 1_000)).toBeNull();
      expect(await read(id, Infinity, 2)).toEqual(states.at(-1));
    }
  });

  it('are not made of a state that JSON does not carry', async () => {
    const { id, states } = await storedRun(aRun(), 4);
    const state = { ...(states[1] as RunState), input: -0 };
    expect(await writeSnapshot(pool, id, { sequence: 1, definitionHash: '0', state })).toBe(false);
    expect(await readSnapshot(pool, id, 1)).toBeNull();
  });

  it('go with their run, and with the values of one that closed before the retention', async () => {
    const { id } = await storedRun(aRun(), 4);
    await read(id, Infinity, 2);
    await pool.query("UPDATE runs SET closed_at = now() - interval '2 hours' WHERE id = $1", [id]);
    expect(await deleteExpiredSnapshots(pool, null)).toBe(0);
    expect(await deleteExpiredSnapshots(pool, 3 * 3_600_000)).toBe(0);
    expect(await deleteExpiredSnapshots(pool, 3_600_000)).toBeGreaterThan(0);
    await read(id, Infinity, 2);
    await pool.query('DELETE FROM runs WHERE id = $1', [id]);
    expect(await deleteExpiredSnapshots(pool, null)).toBeGreaterThan(0);
  });

  it('are made of what is large, or of long ago, sooner, and read all the same', async () => {
    const { id, states } = await storedRun(aRun(), 1_000);
    const at = async (snapshots: SnapshotPolicy) => {
      await pool.query('DELETE FROM run_snapshots');
      const { state } = await readStateOf(pool, id, createCompiledDefinitions(pool), Infinity, { snapshots });
      expect(state).toEqual(states.at(-1));
      return (await pool.query('SELECT sequence FROM run_snapshots ORDER BY 1')).rows.map(({ sequence }) => sequence);
    };
    expect(await at({ events: Infinity, bytes: 1, ageMs: Infinity })).toHaveLength(states.length - 1);
    expect(await at({ events: Infinity, bytes: 1e9, ageMs: 0 })).toHaveLength(states.length - 1);
    expect(await at({ events: Infinity, bytes: 1e9, ageMs: 1e12 })).toEqual([]);
  });

  it('are kept as many as the retention says, the newest of each run, and none that is older', async () => {
    const [one, other] = [await storedRun(aRun(), 4), await storedRun(aRun(), 4)];
    for (const { id } of [one, other]) await read(id, Infinity, 2);
    expect(await pruneSnapshots(pool, { keep: null, maxAgeMs: null })).toBe(0);
    expect(await pruneSnapshots(pool, { keep: 1, maxAgeMs: null })).toBeGreaterThan(0);
    const { rows } = await pool.query('SELECT sequence FROM run_snapshots');
    const last = Math.floor((one.states.length - 1) / 2) * 2;
    expect(rows).toEqual([{ sequence: last }, { sequence: last }]);
    await pool.query("UPDATE run_snapshots SET created_at = now() - interval '2 hours' WHERE run_id = $1", [one.id]);
    expect(await pruneSnapshots(pool, { keep: 1, maxAgeMs: 3_600_000 })).toBe(1);
    expect(await read(one.id, Infinity, 500)).toEqual(one.states.at(-1));
  });
});

describe('the difference between two events of a run', () => {
  it('is that between the states there, with the last of every execution in between', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.integer({ min: 1, max: 3 }), fc.nat(), fc.nat(), async (run, cut, one, other) => {
        const { id, compiled, states } = await storedRun(run, cut);
        const [from = 0, to = 0] = [one % states.length, other % states.length].sort((left, right) => left - right);
        const before = states[from] as RunState;
        const changed = new ChangedExecutions(compiled, before, before);
        for (const state of states.slice(from + 1, to + 1)) changed.folded(state);
        const expected = diffRun(before, states[to] as RunState, changed);
        expect(await readRunDiff(pool, id, from, to)).toEqual({ ...expected, from, to, definitionChanged: false });
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('of a run to itself is nothing, and beyond the last event means the last', async () => {
    const { id, states } = await storedRun(aRun(), 4);
    const last = states.length - 1;
    expect(await readRunDiff(pool, id, last, 1_000_000)).toMatchObject({ to: last, run: [], variables: [], nodes: [] });
    const whole = await readRunDiff(pool, id, 0, 1_000_000);
    expect(whole.run).toContainEqual({ name: 'status', before: 'PENDING', after: states.at(-1)?.status });
    await expect(readRunDiff(pool, 'nobody', 0, 1)).rejects.toBeInstanceOf(AppError);
  });
});

/** One that has a few events at least. */
function aRun(): RandomRun {
  const nodes = ['a', 'b', 'c', 'd'].map((id) => ({ id, type: 'http' as const, config: { url: 'https://a.test/' } }));
  const edges = ['b', 'c', 'd'].map((to, index) => ({ from: 'abc'[index] as string, to }));
  return { definition: { name: 'four', nodes, edges }, outcomeOf: () => ({ output: { status: 200 } }) };
}
