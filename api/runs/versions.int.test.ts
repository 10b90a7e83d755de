import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

const PUBLISH = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id version definition } }';
const SAVE = `mutation ($definition: JSON!, $expectedRevision: Int, $basedOnVersion: Int) {
  saveDraft(definition: $definition, expectedRevision: $expectedRevision, basedOnVersion: $basedOnVersion) {
    workflowId revision outdated problems { code path } updatedBy } }`;

const text = (name: string, template: string, input?: object) => ({
  name,
  ...(input ? { input } : {}),
  nodes: [{ id: 'say', type: 'template', config: { template } }],
  edges: [],
  output: 'nodes.say.output',
});
const calls = (name: string, workflow: string, config: object = {}) => ({
  name,
  nodes: [{ id: 'child', type: 'subworkflow', config: { workflow, ...config } }],
  edges: [],
});

describe('versions through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
  }, 60_000);
  afterAll(() => doors.close());
  const ask = async (query: string, variables?: Record<string, unknown>) => {
    const { data, errors } = await doors.ask(query, variables);
    if (errors) throw Object.assign(new Error(errors[0].message), { extensions: errors[0].extensions });
    return data;
  };
  const publish = async (definition: object) => (await ask(PUBLISH, { definition })).publishWorkflow;

  it('keeps a draft with its problems, and publishes it when it has none', async () => {
    const broken = { ...text('drafted', 'a'), edges: [{ from: 'say', to: 'nobody' }] };
    const first = (await ask(SAVE, { definition: broken })).saveDraft;
    expect(first).toMatchObject({ workflowId: 'drafted', revision: 1, outdated: false });
    expect(first.problems).toMatchObject([{ code: 'EDGE_TARGET_UNKNOWN' }]);
    const publishDraft = (expectedRevision: number) =>
      ask('mutation ($r: Int!) { publishDraft(workflowId: "drafted", expectedRevision: $r) { version definition } }', {
        r: expectedRevision,
      });
    await expect(publishDraft(1)).rejects.toMatchObject({ extensions: { code: 'DEFINITION_INVALID' } });
    await ask(SAVE, { definition: text('drafted', 'b'), expectedRevision: 1 });
    await expect(publishDraft(1)).rejects.toMatchObject({
      extensions: { code: 'DRAFT_CONFLICT', currentRevision: 2 },
    });
    expect((await publishDraft(2)).publishDraft).toEqual({ version: 1, definition: text('drafted', 'b') });
    expect((await ask('{ draft(workflowId: "drafted") { revision } }')).draft).toBeNull();
  });

  it('lets one of many that save at once win, and tells the others where the draft is', async () => {
    await ask(SAVE, { definition: text('raced', '0') });
    const saves = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        ask(SAVE, { definition: text('raced', String(index)), expectedRevision: 1 }),
      ),
    );
    expect(saves.filter((save) => save.status === 'fulfilled')).toHaveLength(1);
    for (const save of saves) {
      if (save.status === 'rejected') {
        expect(save.reason.extensions).toMatchObject({ code: 'DRAFT_CONFLICT', currentRevision: 2 });
      }
    }
    const { drafts } = await ask('{ drafts { totalCount edges { node { workflowId revision } } } }');
    expect(drafts.edges.map((edge: any) => edge.node)).toContainEqual({ workflowId: 'raced', revision: 2 });
    const discard = 'mutation { discardDraft(workflowId: "raced", expectedRevision: 2) }';
    expect((await ask(discard)).discardDraft).toBe(true);
    expect((await ask(discard)).discardDraft).toBe(false);
  });

  it('says that a draft is outdated when a later version was published meanwhile', async () => {
    await publish(text('moved-on', '1'));
    const saved = await ask(SAVE, { definition: text('moved-on', '1b'), basedOnVersion: 1 });
    expect(saved.saveDraft.outdated).toBe(false);
    await publish(text('moved-on', '2'));
    expect((await ask('{ draft(workflowId: "moved-on") { outdated } }')).draft.outdated).toBe(true);
  });

  it('lists versions, and reads any of them', async () => {
    for (const template of ['1', '2', '3']) await publish(text('listed', template));
    const query = `query ($after: String) { workflow(id: "listed") { version atVersion(version: 2) { version definition }
      versions(first: 2, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { version } } } } }`;
    const { workflow } = await ask(query);
    expect(workflow).toMatchObject({ version: 3, atVersion: { version: 2, definition: text('listed', '2') } });
    expect(workflow.versions).toMatchObject({
      totalCount: 3,
      edges: [{ node: { version: 3 } }, { node: { version: 2 } }],
    });
    const next = await ask(query, { after: workflow.versions.pageInfo.endCursor });
    expect(next.workflow.versions.edges).toEqual([{ node: { version: 1 } }]);
  });

  it('refuses a change of what is published, in the database', async () => {
    await publish(text('immutable', '1'));
    for (const change of [`definition = '{}'`, `hash = 'x'`, 'version = 7', 'created_at = now()']) {
      await expect(
        doors.pool.query(`UPDATE definitions SET ${change} WHERE workflow_id = 'immutable'`),
      ).rejects.toThrow(/is published and never changes/);
    }
  });

  it('starts no run of a deprecated version and names the one that replaces it; the latest passes over it', async () => {
    for (const template of ['1', '2', '3']) await publish(text('old', template));
    const execute = (version: number | null) =>
      ask('mutation ($v: Int) { executeWorkflow(workflowId: "old", version: $v) { workflow { version } } }', {
        v: version,
      });
    const deprecate = (version: number) =>
      ask(
        `mutation ($v: Int!) { deprecateVersion(workflowId: "old", version: $v, reason: "slow") {
           version deprecation { at reason } } }`,
        { v: version },
      );
    expect((await deprecate(3)).deprecateVersion).toMatchObject({ version: 3, deprecation: { reason: 'slow' } });
    expect((await ask('{ workflow(id: "old") { version deprecation { reason } } }')).workflow).toEqual({
      version: 2,
      deprecation: null,
    });
    expect((await execute(null)).executeWorkflow.workflow.version).toBe(2);
    await expect(execute(3)).rejects.toMatchObject({
      extensions: { code: 'VERSION_DEPRECATED', replacement: 2 },
    });
    await deprecate(1);
    await deprecate(2);
    await expect(execute(null)).rejects.toMatchObject({
      extensions: { code: 'VERSION_DEPRECATED', replacement: null },
    });
    await ask('mutation { undeprecateVersion(workflowId: "old", version: 3) { version } }');
    expect((await execute(null)).executeWorkflow.workflow.version).toBe(3);
    const absent = 'mutation { deprecateVersion(workflowId: "old", version: 9) { version } }';
    await expect(ask(absent)).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });

  it('pins subworkflows to what is published, and checks what they are given', async () => {
    const input = {
      type: 'object',
      properties: { who: { type: 'string' }, when: { type: 'string' } },
      required: ['who'],
      additionalProperties: false,
    };
    await publish(text('child-a', '1', input));
    const parent = await publish(calls('parent-a', 'child-a', { input: { who: 'input.name' } }));
    const [node] = parent.definition.nodes;
    expect(node.config).toMatchObject({
      workflow: 'child-a',
      version: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await publish(text('child-a', '2', input));
    const again = await publish(calls('parent-a', 'child-a', { input: { who: 'input.name' } }));
    expect(again).toMatchObject({ version: 2, definition: { nodes: [{ config: { version: 2 } }] } });
    const kept = await publish(calls('parent-a', 'child-a', { version: 1, input: { who: 'input.name' } }));
    expect(kept.version).toBe(1);

    const problems = async (definition: object) =>
      (await ask('query ($d: JSON!) { validateWorkflow(definition: $d) { code path message } }', { d: definition }))
        .validateWorkflow;
    expect(await problems(calls('p', 'child-a', { input: { when: '"x"', why: '1' } }))).toMatchObject([
      {
        code: 'SUBWORKFLOW_INPUT',
        path: '/nodes/0/config/input',
        message: expect.stringContaining('requires the input who'),
      },
      { code: 'SUBWORKFLOW_INPUT', message: expect.stringContaining('takes no input why') },
    ]);
    expect(await problems(calls('p', 'nothing-here'))).toMatchObject([
      { code: 'SUBWORKFLOW_UNKNOWN', path: '/nodes/0/config/workflow' },
    ]);
    expect(await problems(calls('p', 'child-a', { version: 9, input: 'input' }))).toMatchObject([
      { code: 'SUBWORKFLOW_UNKNOWN', message: expect.stringContaining('child-a version 9') },
    ]);
  });

  it('refuses subworkflows that lead back to the workflow, and says which way', async () => {
    await publish(text('round-a', 'x'));
    await publish(calls('round-b', 'round-a'));
    await publish(calls('round-c', 'round-b'));
    const cycle = publish(calls('round-a', 'round-c'));
    await expect(cycle).rejects.toMatchObject({
      extensions: {
        code: 'DEFINITION_INVALID',
        problems: [
          { code: 'SUBWORKFLOW_CYCLE', message: expect.stringContaining('round-a -> round-c -> round-b -> round-a') },
        ],
      },
    });
    await expect(publish(calls('round-a', 'round-a'))).rejects.toMatchObject({
      extensions: { problems: [{ code: 'SUBWORKFLOW_CYCLE' }] },
    });
  });

  it('refuses subworkflows that are nested too deep', async () => {
    await publish(text('deep-0', 'x'));
    for (let level = 1; level <= 10; level += 1) await publish(calls(`deep-${level}`, `deep-${level - 1}`));
    await expect(publish(calls('deep-11', 'deep-10'))).rejects.toMatchObject({
      extensions: { problems: [{ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('deep-11 -> deep-10') }] },
    });
  });
});
