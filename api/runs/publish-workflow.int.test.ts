import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDoors, type Doors } from '../../tests/doors.ts';

const PUBLISH = `mutation ($definition: JSON!) {
  publishWorkflow(definition: $definition) { id name version description definition inputSchema createdAt }
}`;
const VALIDATE = `query ($definition: JSON!) {
  validateWorkflow(definition: $definition) { code path nodeId message hint }
}`;

function greeting(name: string, text = 'hello') {
  return {
    name,
    description: 'Says hello.',
    input: { type: 'object', properties: { who: { type: 'string' } } },
    nodes: [{ id: 'greet', type: 'template', config: { template: text } }],
    edges: [],
    output: 'nodes.greet.output',
  };
}

describe('publishing through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
  }, 60_000);
  afterAll(() => doors.close());

  it('gives back what was published', async () => {
    const definition = greeting('published');
    const { data } = await doors.ask(PUBLISH, { definition });
    expect(data.publishWorkflow).toMatchObject({
      id: 'published',
      name: 'published',
      version: 1,
      description: 'Says hello.',
      definition,
      inputSchema: definition.input,
    });
    const read = await doors.ask('{ workflow(id: "published") { version definition createdAt } }');
    expect(read.data.workflow).toEqual({
      version: 1,
      definition,
      createdAt: data.publishWorkflow.createdAt,
    });
  });

  it('gives the same version to the same content, whatever the order of its keys, and the next to other content', async () => {
    const versionOf = async (definition: object) =>
      (await doors.ask(PUBLISH, { definition })).data.publishWorkflow.version as number;
    const first = greeting('versions');
    expect(await versionOf(first)).toBe(1);
    expect(await versionOf(Object.fromEntries(Object.entries(first).reverse()))).toBe(1);
    expect(await versionOf(greeting('versions', 'good day'))).toBe(2);
    expect(await versionOf(first)).toBe(1);
    expect((await doors.ask('{ workflow(id: "versions") { version } }')).data.workflow.version).toBe(2);
  });

  it('gives one version to the same content published many times at once', async () => {
    const definition = greeting('at-once');
    const answers = await Promise.all(Array.from({ length: 20 }, () => doors.ask(PUBLISH, { definition })));
    expect(new Set(answers.map(({ data }) => data.publishWorkflow.version))).toEqual(new Set([1]));
  });

  it('refuses an invalid definition with all of its problems and stores nothing', async () => {
    const definition = {
      ...greeting('refused'),
      input: { type: 'strin' },
      nodes: [
        { id: 'greet', type: 'template', config: {} },
        { id: 'lost', type: 'no.such.type' },
      ],
      edges: [{ from: 'greet', to: 'nobody' }],
    };
    const { data, errors } = await doors.ask(PUBLISH, { definition });
    expect(data).toBeNull();
    expect(errors).toHaveLength(1);
    const { code, problems, hint, service } = errors?.[0].extensions ?? {};
    expect({ code, service }).toEqual({ code: 'DEFINITION_INVALID', service: 'runs' });
    expect(hint).toContain('problems');
    expect(problems.map((problem: { code: string }) => problem.code)).toEqual(
      expect.arrayContaining(['INPUT_SCHEMA_INVALID', 'NODE_TYPE_UNKNOWN', 'EDGE_TARGET_UNKNOWN']),
    );
    const validated = await doors.ask(VALIDATE, { definition });
    expect(validated.data.validateWorkflow).toEqual(problems);
    expect((await doors.ask('{ workflow(id: "refused") { id } }')).data.workflow).toBeNull();
    const { rows } = await doors.pool.query(`SELECT FROM definitions WHERE workflow_id = 'refused'`);
    expect(rows).toHaveLength(0);
  });

  it('refuses nodes on a queue that no pool serves, or that does not serve them', async () => {
    const http = { id: 'call', type: 'http', config: { url: 'https://example.org' } };
    const definition = { name: 'queues', nodes: [{ ...http, taskQueue: 'gpu' }], edges: [] };
    const { errors } = await doors.ask(PUBLISH, { definition });
    expect(errors?.[0].extensions.problems).toMatchObject([
      {
        code: 'QUEUE_UNKNOWN',
        path: '/nodes/0/taskQueue',
        nodeId: 'call',
        hint: expect.stringContaining('WEFT_POOLS_FILE'),
      },
    ]);
    const validated = await doors.ask(VALIDATE, {
      definition: { ...definition, nodes: [{ ...http, taskQueue: 'models' }] },
    });
    expect(validated.data.validateWorkflow).toMatchObject([{ code: 'QUEUE_NOT_ALLOWED', nodeId: 'call' }]);
  });

  it('finds no problem in a valid definition', async () => {
    const { data } = await doors.ask(VALIDATE, { definition: greeting('valid') });
    expect(data.validateWorkflow).toEqual([]);
  });

  it('refuses what is no definition at all', async () => {
    for (const definition of ['text', 7, [], {}]) {
      const { errors } = await doors.ask(PUBLISH, { definition });
      expect(errors?.[0].extensions.code).toBe('DEFINITION_INVALID');
      expect(errors?.[0].extensions.problems.length).toBeGreaterThan(0);
    }
  });

  it('lists the latest version of each workflow page by page, filtered by a part of the name', async () => {
    for (const name of ['page-c', 'page-a', 'page-b']) await doors.ask(PUBLISH, { definition: greeting(name) });
    await doors.ask(PUBLISH, { definition: greeting('page-a', 'again') });
    const list = `query ($after: String, $first: Int) { workflows(first: $first, after: $after, name: "PAGE-") {
      totalCount edges { cursor node { id version } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const first = (await doors.ask(list, { first: 2 })).data.workflows;
    expect(first.edges.map((edge: any) => edge.node)).toEqual([
      { id: 'page-a', version: 2 },
      { id: 'page-b', version: 1 },
    ]);
    expect(first).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const second = (await doors.ask(list, { first: 2, after: first.pageInfo.endCursor })).data.workflows;
    expect(second.edges.map((edge: any) => edge.node)).toEqual([{ id: 'page-c', version: 1 }]);
    expect(second).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    const foreign = await doors.ask(list, { after: 'not*a*cursor' });
    expect(foreign.errors?.[0].extensions).toMatchObject({ code: 'INPUT_INVALID', paths: [{ path: '/after' }] });
  });
});
