import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFeedPages } from '../../adapters/postgres/feed-store.ts';
import { createCompiledDefinitions } from '../../adapters/postgres/compiled-definitions.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { runId } from '../../domain/identifiers.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import { publishWorkflow } from './publish-workflow.ts';

const DIFF = `query ($from: Int!, $to: Int!) { run(id: "diffed") { diff(from: $from, to: $to) {
  from to definitionChanged run { name before after } variables { name before after }
  nodes { nodeId path fields { name before after } }
} } }`;

describe('the difference between two events through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
    const definition = {
      name: 'diffed',
      variables: { total: 0 },
      nodes: [{ id: 'count', type: 'set', config: { values: { total: 'input.n + 1' } } }, nap('nap')],
      edges: [{ from: 'count', to: 'nap' }],
    };
    const { tenantId, workflowId, version, hash } = await publishWorkflow(doors, LOCAL_PRINCIPAL, definition);
    const id = runId('diffed');
    await insertRun(doors.pool, {
      ...{ id, tenantId, workflowId, version, definitionHash: hash, input: { n: 1 }, idempotencyKey: null },
      createdAt: new Date(),
    });
    const at = (ms: number) => new Date(Date.UTC(2026, 10, 24) + ms);
    const [first, second] = [
      { version: 1, type: 'run.started', occurredAt: at(0), payload: { input: { n: 1 } } },
      { version: 2, type: 'run.terminated', occurredAt: at(5), payload: { reason: null } },
    ];
    const state = initialState(await createCompiledDefinitions(doors.pool).read(hash));
    const page = { tenantId, runId: id, temporalRunId: 'link', sequenceBase: 0, token: null, state };
    const rest = { changedNodes: [], children: [] };
    await writeFeedPages(doors.pool, [{ ...page, ...rest, expectedVersion: 0, events: [first], ended: false }]);
    await writeFeedPages(doors.pool, [{ ...page, ...rest, expectedVersion: 1, events: [second], ended: true }]);
  }, 60_000);
  afterAll(() => doors.close());

  const diff = (from: number, to: number) => doors.ask(DIFF, { from, to });

  it('names what has begun, with values before and after', async () => {
    const answer = (await diff(0, 1)).data.run.diff;
    expect(answer).toMatchObject({ from: 0, to: 1, definitionChanged: false });
    expect(answer.run).toContainEqual({ name: 'status', before: 'PENDING', after: 'WAITING' });
    expect(answer.variables).toEqual([{ name: 'total', before: 0, after: 2 }]);
    const count = answer.nodes.find(({ nodeId }: any) => nodeId === 'count');
    expect(count).toMatchObject({ path: '1' });
    expect(count.fields).toContainEqual({ name: 'output', before: null, after: { total: 2 } });
  });

  it('goes up to the end of a terminated run', async () => {
    const answer = (await diff(1, 99)).data.run.diff;
    expect(answer.to).toBe(2);
    expect(answer.run.find(({ name }: any) => name === 'status')?.after).toBe('TERMINATED');
    expect(answer.nodes.map(({ nodeId }: any) => nodeId)).toEqual(['nap']);
  });

  it('is refused for events that are out of order', async () => {
    expect((await diff(2, 1)).errors?.[0]?.extensions.code).toBe('INPUT_INVALID');
    expect((await diff(-1, 1)).errors?.[0]?.extensions.code).toBe('INPUT_INVALID');
  });
});

const nap = (id: string) => ({ id, type: 'delay', config: { durationMs: 60_000 } });
