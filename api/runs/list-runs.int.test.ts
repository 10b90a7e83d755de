import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isOfTenants } from '../../adapters/postgres/tenant-pool.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { runId } from '../../domain/identifiers.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import { publishWorkflow } from './publish-workflow.ts';

const LIST = `query ($first: Int, $after: String, $status: [RunStatus!], $workflowId: ID) {
  runs(first: $first, after: $after, status: $status, workflowId: $workflowId) {
    totalCount edges { cursor node { id workflow { version } nodes { id } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

describe('listing runs through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
  }, 60_000);
  afterAll(() => doors.close());

  async function store(name: string, ids: readonly string[], createdAt = new Date()): Promise<void> {
    const definition = { name, nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }], edges: [] };
    const published = await publishWorkflow(doors, LOCAL_PRINCIPAL, definition);
    for (const id of ids) {
      const { tenantId, workflowId, version, hash } = published;
      await insertRun(doors.pool, {
        ...{ id: runId(id), tenantId, workflowId, version, definitionHash: hash, input: {}, createdAt },
        idempotencyKey: null,
      });
    }
  }

  it('walks every run once, newest first, while new ones arrive', async () => {
    const earlier = Array.from({ length: 7 }, (_, index) => `walk-${index}`);
    await store('walk', earlier, new Date('2026-01-01T00:00:00Z'));
    const seen: string[] = [];
    for (let after: string | null = null, page = 0; ; page += 1) {
      const { runs }: any = (await doors.ask(LIST, { first: 3, after, workflowId: 'walk' })).data;
      seen.push(...runs.edges.map((edge: any) => edge.node.id));
      expect(runs.pageInfo).toMatchObject({
        hasPreviousPage: page > 0,
        startCursor: runs.edges[0].cursor,
        endCursor: runs.edges.at(-1).cursor,
      });
      if (!runs.pageInfo.hasNextPage) break;
      await store('walk', [`late-${page}`], new Date('2026-01-02T00:00:00Z'));
      after = runs.pageInfo.endCursor;
    }
    expect(seen).toEqual(earlier.toReversed());
    expect((await doors.ask(LIST, { first: 1, workflowId: 'walk' })).data.runs.totalCount).toBe(9);
  });

  it('filters by status and workflow, and counts what it filters', async () => {
    await store('left', ['left-1', 'left-2']);
    await store('right', ['right-1']);
    const list = async (filter: Record<string, unknown>) => (await doors.ask(LIST, filter)).data.runs;
    expect(await list({ workflowId: 'right' })).toMatchObject({ totalCount: 1, edges: [{ node: { id: 'right-1' } }] });
    expect((await list({ workflowId: 'left', status: ['PENDING', 'RUNNING'] })).totalCount).toBe(2);
    expect(await list({ workflowId: 'left', status: ['COMPLETED'] })).toMatchObject({
      totalCount: 0,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    expect((await list({ workflowId: 'left', status: [] })).totalCount).toBe(0);
    const nested = await doors.ask('{ workflow(id: "left") { runs(first: 1) { totalCount edges { node { id } } } } }');
    expect(nested.data.workflow.runs).toMatchObject({ totalCount: 2, edges: [{ node: { id: 'left-2' } }] });
  });

  it('refuses page sizes out of range and cursors of other lists', async () => {
    for (const [variables, path] of [
      [{ first: 0 }, '/first'],
      [{ first: 101 }, '/first'],
      [{ after: 'nonsense' }, '/after'],
      [{ after: Buffer.from('left').toString('base64url') }, '/after'],
    ] as const) {
      const { errors } = await doors.ask(LIST, variables);
      expect(errors?.[0].extensions).toMatchObject({ code: 'INPUT_INVALID', paths: [{ path }] });
    }
  });

  it('reads a list with its workflows and nodes by a fixed number of queries', async () => {
    await store('few', ['few-1', 'few-2']);
    await store(
      'many',
      Array.from({ length: 30 }, (_, index) => `many-${index}`),
    );
    const queriesFor = async (workflowId: string) => {
      let queries = 0;
      const { connect } = pg.Pool.prototype;
      pg.Pool.prototype.connect = function (this: pg.Pool, ...given: unknown[]) {
        if (isOfTenants(this)) queries += 1;
        return Reflect.apply(connect, this, given);
      } as typeof connect;
      const { data } = await doors
        .ask(LIST, { first: 100, workflowId })
        .finally(() => (pg.Pool.prototype.connect = connect));
      expect(data.runs.edges.every((edge: any) => edge.node.nodes.length === 1)).toBe(true);
      return queries;
    };
    const few = await queriesFor('few');
    expect(few).toBeGreaterThan(1);
    expect(await queriesFor('many')).toBe(few);
  });

  it('knows no run by an unknown or impossible id', async () => {
    for (const id of ['run-nothing', '', 'a\0b']) {
      expect(await doors.ask('query ($id: ID!) { run(id: $id) { id } workflow(id: $id) { id } }', { id })).toEqual({
        data: { run: null, workflow: null },
      });
    }
  });

  it('resolves references of other subgraphs to runs and workflows, many by one query', async () => {
    await store('known', ['known-1', 'known-2']);
    const response = await fetch(`${doors.apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `query ($representations: [_Any!]!) { _entities(representations: $representations) {
          ... on Run { id workflow { id } } ... on Workflow { id version } } }`,
        variables: {
          representations: [
            { __typename: 'Run', id: 'known-2' },
            { __typename: 'Workflow', id: 'known' },
            { __typename: 'Run', id: 'unknown' },
            { __typename: 'Run', id: 'known-1' },
          ],
        },
      }),
    });
    expect(await response.json()).toEqual({
      data: {
        _entities: [
          { id: 'known-2', workflow: { id: 'known' } },
          { id: 'known', version: 1 },
          null,
          { id: 'known-1', workflow: { id: 'known' } },
        ],
      },
    });
  });
});
