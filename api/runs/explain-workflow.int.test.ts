import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

const EXPLAIN = `query ($source: DefinitionSource!, $input: JSON) { explainWorkflow(source: $source, input: $input) {
  workflow events actions durationMs tokens remarks nodes { nodeId runs executions executionsKnown fusedWith notFusedBecause } } }`;
const DIFF = `query ($before: DefinitionSource!, $after: DefinitionSource!) {
  diffWorkflow(before: $before, after: $after) { same changes } }`;
const COMPLETE = `query ($definition: JSON!, $nodeId: ID, $field: String!, $offset: Int!) {
  expressionCompletions(definition: $definition, nodeId: $nodeId, field: $field, offset: $offset) { label kind detail insert from } }`;

const definition = (value: string) => ({
  name: 'explained',
  input: {
    type: 'object',
    additionalProperties: false,
    properties: { pages: { type: 'array', items: { type: 'string' } } },
  },
  nodes: [
    { id: 'each', type: 'map', config: { items: 'input.pages' } },
    { id: 'call', parent: 'each', type: 'http', config: { url: 'https://example.org/{{item}}', timeoutMs: 1000 } },
    { id: 'after', type: 'transform', config: { value } },
  ],
  edges: [{ from: 'each', to: 'after' }],
});

describe('what can be known of a workflow before it runs', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
    const publish = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { version } }';
    for (const value of ['1', 'size(nodes.each.output.results)'])
      await doors.ask(publish, { definition: definition(value) });
  }, 60_000);
  afterAll(() => doors.close());

  it('is a forecast of a published workflow, exact with an input', async () => {
    const { data } = await doors.ask(EXPLAIN, {
      source: { workflowId: 'explained' },
      input: { pages: ['a', 'b', 'c'] },
    });
    expect(data.explainWorkflow).toMatchObject({
      workflow: 'explained',
      remarks: [],
      nodes: [
        { nodeId: 'each', runs: 'container' },
        {
          nodeId: 'call',
          runs: 'activity',
          executions: 3,
          executionsKnown: true,
          fusedWith: null,
          notFusedBecause: expect.any(String),
        },
        { nodeId: 'after', runs: 'inline' },
      ],
    });
    const loose = await doors.ask(EXPLAIN, { source: { workflowId: 'explained' } });
    expect(loose.data.explainWorkflow.remarks[0]).toContain('each goes over a list whose length is not known');
  });

  it('is the difference of versions and of definitions', async () => {
    const { data } = await doors.ask(DIFF, {
      before: { workflowId: 'explained', version: 1 },
      after: { workflowId: 'explained' },
    });
    expect(data.diffWorkflow).toEqual({
      same: false,
      changes: ['~ node after /config/value: "1" -> "size(nodes.each.output.results)"'],
    });
    const same = await doors.ask(DIFF, {
      before: { definition: definition('1') },
      after: { workflowId: 'explained', version: 1 },
    });
    expect(same.data.diffWorkflow).toEqual({ same: true, changes: [] });
  });

  it('are the names that an expression may go on with, also where it is not finished', async () => {
    const { data } = await doors.ask(COMPLETE, {
      definition: definition('nodes.each.output.re'),
      nodeId: 'after',
      field: '/config/value',
      offset: 20,
    });
    expect(data.expressionCompletions).toEqual([
      { label: 'results', kind: 'field', detail: 'list of any', insert: 'results', from: 18 },
    ]);
  });

  it('is refused where nothing, too much or something broken is meant', async () => {
    const codeOf = async (source: object) => (await doors.ask(EXPLAIN, { source })).errors?.[0]?.extensions.code;
    expect(await codeOf({ workflowId: 'nobody' })).toBe('NOT_FOUND');
    expect(await codeOf({})).toBe('INPUT_INVALID');
    expect(await codeOf({ workflowId: 'explained', definition: definition('1') })).toBe('INPUT_INVALID');
    expect(await codeOf({ definition: definition('input.pagse') })).toBe('DEFINITION_INVALID');
  });
});
